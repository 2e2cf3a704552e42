/** Media and files, put together. */
import path from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { Jobs } from '../cluster/jobs.ts';
import type { Nodes } from '../cluster/nodes.ts';
import type { Config } from '../config.ts';
import type { Visibility } from '../conversations/visibility.ts';
import type { RateLimiter } from '../dispatch/rate-limits.ts';
import type { DiskSpace } from '../lib/disk-space.ts';
import type { KeyRing } from '../lib/key-ring.ts';
import type { Collections } from '../model/collections.ts';
import { type Kind, kindsOf } from './documents/kinds.ts';
import { createImagesOnDemand } from './images/on-demand.ts';
import { createInspection } from './inspect/inspection.ts';
import { createQuota } from './quota/quota.ts';
import { createRecount } from './quota/recount.ts';
import { createUsage } from './quota/usage.ts';
import { createFindReadable } from './read/access.ts';
import { createCounter } from './read/counter.ts';
import { createGet } from './read/get.ts';
import { createLinks } from './read/links.ts';
import { createReaderHook } from './read/reader.ts';
import { createCleanUp } from './remove/clean-up.ts';
import { createEraseUploads } from './remove/erase-uploads.ts';
import { createRemove, createRemoveBytes } from './remove/remove.ts';
import { createAppend } from './resumable/append.ts';
import { createResumableUploads } from './resumable/resumable-uploads.ts';
import { type KindHandlers, registerMediaRoutes } from './routes.ts';
import { cleanRegularly } from './storage/clean-folder.ts';
import { createDiskStorage } from './storage/disk.ts';
import { createGridfsStorage } from './storage/gridfs.ts';
import { createLivingProcesses } from './storage/living-processes.ts';
import { createPace, readAtPace } from './storage/pace.ts';
import { createTemporaryFolder } from './storage/temporary-folder.ts';
import { createTusHandler } from './tus/handler.ts';
import { createKeep } from './upload/keep.ts';
import { createOwnership, type Ownership } from './upload/ownership.ts';
import { createPost } from './upload/post.ts';
import { createReserving } from './upload/reservation.ts';
import { createUploads } from './upload/uploads.ts';

const CLEAN_UP_EVERY_MS = 10 * 60 * 1000;

export interface MediaDomainOptions {
  db: Db;
  collections: Collections;
  http: FastifyInstance;
  /** The hook that sets `request.caller`. */
  authenticate(request: FastifyRequest): Promise<void>;
  /** Signs links; the same on every node. */
  linkKeys: KeyRing;
  visibility: Visibility;
  rateLimiter: RateLimiter;
  config: Pick<Config, 'mediaStorage' | 'dataDir' | 'maxUploadBytes' | 'userQuotaBytes' | 'publicUrl'>;
  /** Of `dataDir`. */
  diskSpace: Pick<DiskSpace, 'requireRoom'>;
  nodes: Pick<Nodes, 'id' | 'deadAmong'>;
  jobs: Jobs;
  clock(): Date;
  log: Logger;
}

export interface MediaDomain {
  ownership: Ownership;
  /** Erases a user's uploads that no message carries. Repeatable. */
  erase(userId: string): Promise<void>;
  /** Is told how long a message took, in milliseconds: file transfers give way to messages. */
  messageTook(ms: number): void;
  close(): Promise<void>;
}

/** Builds the domain, registers its routes, and starts its clean-up. */
export function createMediaDomain(options: MediaDomainOptions): MediaDomain {
  const { db, collections, http, authenticate, visibility, rateLimiter, nodes, jobs, clock, log } = options;
  const { mediaStorage, dataDir, maxUploadBytes, userQuotaBytes, publicUrl } = options.config;
  const { requireRoom } = options.diskSpace;
  const directory = path.resolve(dataDir);
  const kinds = kindsOf(collections);

  const pace = createPace();
  const backend =
    mediaStorage === 'disk' ? createDiskStorage(path.join(directory, 'media')) : createGridfsStorage(db, pace.rest);
  const storage = readAtPace(backend, pace);
  const processes = createLivingProcesses(path.join(directory, 'processes'));
  const temporary = createTemporaryFolder(path.join(directory, 'uploads'), processes);

  const recount = createRecount({ collections, uploads: [kinds.media.collection, kinds.file.collection], nodes });
  const quota = createQuota(createUsage(collections, nodes.id), recount, userQuotaBytes);
  const reserving = createReserving({ collections, quota, nodeId: nodes.id, clock });

  const inspection = createInspection();
  const keep = createKeep({ collections, storage, quota, nodeId: nodes.id, clock, log });
  const uploads = createUploads({ kinds, inspection, images: createImagesOnDemand(), keep, clock });
  const resumable = createResumableUploads({ collections, kinds, storage, quota, clock });
  const append = createAppend({ resumable, storage, temporary, uploads, requireRoom });

  const links = createLinks(options.linkKeys, clock);
  const findReadable = createFindReadable(collections, visibility);
  const removeBytes = createRemoveBytes(storage, log);

  const handlersOf = (kind: Kind): KindHandlers => ({
    post: createPost(kind, { uploads, temporary, reserving, pace, requireRoom, maxUploadBytes }),
    get: createGet(kind, { findReadable, storage, counter: createCounter(kind, log), links, publicUrl }),
    remove: createRemove(kind, { findReadable, removeBytes, quota }),
  });
  registerMediaRoutes(http, {
    handlers: { media: handlersOf(kinds.media), file: handlersOf(kinds.file) },
    tus: createTusHandler({ resumable, append, maxUploadBytes, log }),
    authenticate,
    identifyReader: createReaderHook({ collections, links, authenticate }),
    rateLimiter,
    requireRoom,
  });

  const cleanUp = createCleanUp({ collections, kinds, storage, removeBytes });
  jobs.handle('uploads-clean-up', { everyMs: CLEAN_UP_EVERY_MS, run: () => cleanUp(clock()) });
  const folderCleaning = cleanRegularly(temporary, { everyMs: CLEAN_UP_EVERY_MS, log });

  return {
    ownership: createOwnership(collections, clock),
    erase: createEraseUploads({ collections, kinds, removeBytes }),
    messageTook: pace.observe,
    async close() {
      await folderCleaning.close();
      await inspection.close();
      await processes.close();
    },
  };
}
