/** Puts the parts of media together. */
import path from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Collections } from '../model/collections.ts';
import type { RateLimiter } from '../dispatch/rate-limits.ts';
import type { Jobs } from '../cluster/jobs.ts';
import { createDiskStorage } from './disk-storage.ts';
import { createGridfsStorage } from './gridfs-storage.ts';
import { createImages } from './images.ts';
import { createInspection } from './inspection.ts';
import { createLinks } from './links.ts';
import { createOwnership, type Ownership } from './ownership.ts';
import { createPace, readAtPace } from './pace.ts';
import { createReaders } from './readers.ts';
import { createReading } from './reading.ts';
import { createRemoval } from './removal.ts';
import { createResumableUploads } from './resumable-uploads.ts';
import { registerMediaRoutes } from './routes.ts';
import { createTemporaryFolder } from './temporary-files.ts';
import { registerTusRoutes } from './tus.ts';
import { createUploads } from './uploads.ts';
import type { Visibility } from '../conversations/visibility.ts';

const CLEAN_UP_EACH_MS = 10 * 60 * 1000;

export interface MediaDomainOptions {
  db: Db;
  collections: Collections;
  http: FastifyInstance;
  /** The hook that sets `request.caller`. */
  authenticate(request: FastifyRequest): Promise<void>;
  /** A key for links, the same on every node. */
  linkKey: Uint8Array;
  visibility: Visibility;
  rateLimiter: RateLimiter;
  config: Pick<Config, 'mediaStorage' | 'dataDir' | 'maxUploadBytes' | 'publicUrl'>;
  jobs: Jobs;
  clock(): Date;
  log: Logger;
}

export interface MediaDomain {
  ownership: Ownership;
  /** Told how long each message took, in milliseconds: transfers of files give way to them. */
  messageTook(ms: number): void;
  close(): Promise<void>;
}

/** Builds the domain, registers its routes, and starts its clean-up. */
export function createMediaDomain(options: MediaDomainOptions): MediaDomain {
  const { db, collections, http, authenticate, visibility, rateLimiter, config, clock, log } = options;
  const directory = path.resolve(config.dataDir);
  const pace = createPace();
  const backend =
    config.mediaStorage === 'disk'
      ? createDiskStorage(path.join(directory, 'media'))
      : createGridfsStorage(db, pace.rest);
  const storage = readAtPace(backend, pace);
  const temporary = createTemporaryFolder(path.join(directory, 'uploads'));
  const inspection = createInspection();
  const uploads = createUploads({ collections, storage, inspection, images: createImages(), clock, log });
  const readers = createReaders(collections, visibility);
  const links = createLinks(options.linkKey, clock);
  const reading = createReading({ collections, readers, links, authenticate });
  const removal = createRemoval({ collections, storage, log });
  const resumable = createResumableUploads({ collections, storage, temporary, uploads, clock });

  const shared = { authenticate, rateLimiter, log };
  registerMediaRoutes(http, {
    ...shared,
    collections,
    uploads,
    reading,
    removal,
    links,
    storage,
    temporary,
    pace,
    config,
  });
  registerTusRoutes(http, { ...shared, resumable, maxUploadBytes: config.maxUploadBytes });

  // What is stored, by one node; what lies in this node's own folder, by itself.
  options.jobs.handle('uploads-clean-up', { everyMs: CLEAN_UP_EACH_MS, run: () => removal.cleanUp(clock()) });
  let cleaning = Promise.resolve();
  const cleanUp = () => temporary.cleanUp(clock());
  const timer = setInterval(() => {
    cleaning = cleaning.then(cleanUp).catch((err: unknown) => log.warn({ err }, 'uploads could not be cleaned up'));
  }, CLEAN_UP_EACH_MS);
  timer.unref();

  return {
    ownership: createOwnership(collections, clock),
    messageTook: pace.observe,
    async close() {
      clearInterval(timer);
      await cleaning;
      await inspection.close();
    },
  };
}
