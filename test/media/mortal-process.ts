/** A server process as far as uploads go, which may die between any two of its writes. */
import { randomUUID } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { pino } from 'pino';
import { kindsOf } from '../../server/media/documents/kinds.ts';
import { createQuota, type Quota } from '../../server/media/quota/quota.ts';
import { createRecount } from '../../server/media/quota/recount.ts';
import { createUsage } from '../../server/media/quota/usage.ts';
import { createResumableUploads } from '../../server/media/resumable/resumable-uploads.ts';
import { type MediaStorage, newKey } from '../../server/media/storage/storage.ts';
import { createKeep } from '../../server/media/upload/keep.ts';
import { createReserving } from '../../server/media/upload/reservation.ts';
import type { Collections } from '../../server/model/collections.ts';
import type { FileDocument } from '../../server/model/documents/media.ts';

export interface MortalProcess {
  id: string;
  quota: Quota;
  /** Reserves and keeps a file as `POST /files` does. */
  post(userId: ObjectId, size: number): Promise<ObjectId>;
  /** Begins a resumable upload. */
  begin(userId: ObjectId, size: number): Promise<ObjectId>;
  /** Keeps what a resumable upload has brought. */
  finish(userId: ObjectId, id: ObjectId, size: number): Promise<void>;
  /** Terminates a resumable upload. */
  terminate(id: ObjectId): Promise<void>;
  /** Deletes a file as `DELETE /files/:id` does. */
  remove(userId: ObjectId, id: ObjectId): Promise<void>;
  /** Resolves when it dies, which it does instead of the write of that number, or right after it. */
  died: Promise<void>;
  /** Resolves when the store has carried out all that was sent to it. */
  settled(): Promise<unknown>;
}

export interface Death {
  atWrite: number;
  isWritten: boolean;
}

const SILENT = pino({ level: 'silent' });
const STORAGE: MediaStorage = {
  store: async () => {},
  read: async () => {
    throw new Error('nothing is read here');
  },
  remove: async () => {},
};
/** Processes that others take for dead: a while after their death, so that nothing of them is still on its way. */
const KNOWN_DEAD = new Set<string>();
const WRITES = new Set(['updateOne', 'updateMany', 'insertOne', 'deleteOne', 'findOneAndUpdate', 'findOneAndDelete']);

export function createMortalProcess(real: Collections, quotaBytes: number, death?: Death): MortalProcess {
  const id = randomUUID();
  let writes = 0;
  const sent: Promise<unknown>[] = [];
  const settled = () => Promise.allSettled(sent);
  let isDead = false;
  let die = () => {};
  const died = new Promise<void>((resolve) => {
    die = () => {
      isDead = true;
      void settled().then(() => KNOWN_DEAD.add(id));
      resolve();
    };
  });
  const never = new Promise<never>(() => {});

  /** A collection of a process that may be dead: then nothing is written, and nothing returns. */
  function mortal<C extends object>(collection: C): C {
    return new Proxy(collection, {
      get(target, name: string) {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function' || !WRITES.has(name)) return method;
        return async (...args: unknown[]) => {
          writes++;
          if (death && writes === death.atWrite && !death.isWritten) die();
          if (isDead) return never;
          const writing = method.apply(target, args) as Promise<unknown>;
          sent.push(writing);
          const result = await writing;
          if (death && writes >= death.atWrite) die();
          return isDead ? never : result;
        };
      },
    });
  }

  const collections = { ...real } as Collections;
  for (const name of ['files', 'media', 'pending_uploads', 'upload_usage'] as const) {
    collections[name] = mortal(real[name]) as never;
  }
  const kinds = kindsOf(collections);
  const clock = () => new Date();
  const nodes = { deadAmong: async (ids: string[]) => [...new Set(ids)].filter((other) => KNOWN_DEAD.has(other)) };
  const recount = createRecount({ collections, uploads: [kinds.media.collection, kinds.file.collection], nodes });
  const quota = createQuota(createUsage(collections, id), recount, quotaBytes);
  const keep = createKeep({ collections, storage: STORAGE, quota, nodeId: id, clock, log: SILENT });
  const reserving = createReserving({ collections, quota, nodeId: id, clock });
  const resumable = createResumableUploads({ collections, kinds, storage: STORAGE, quota, clock });
  const keepFile = (userId: ObjectId, fileId: ObjectId, size: number) =>
    keep(kinds.file, newFile(userId, fileId, size), ['unused']);

  return {
    id,
    quota,
    died,
    settled,
    async post(userId, size) {
      const fileId = new ObjectId();
      // A form tells a little less than the file has.
      await reserving({ id: fileId, uploaderId: userId, size: size - 1 }, () => keepFile(userId, fileId, size));
      return fileId;
    },
    async begin(userId, size) {
      const uploadId = new ObjectId();
      await resumable.begin(uploadId, { uploader_id: userId, kind: 'file', original_filename: 'a', size });
      return uploadId;
    },
    finish: keepFile,
    terminate: resumable.discard,
    async remove(userId, fileId) {
      await quota.giveBack(
        userId,
        () =>
          kinds.file.collection.findOneAndUpdate({ _id: fileId, is_deleted: false }, { $set: { is_deleted: true } }),
        (removed) => ({ bytes: removed?.file_size ?? 0 }),
      );
    },
  };
}

function newFile(userId: ObjectId, id: ObjectId, size: number): FileDocument {
  const now = new Date();
  return {
    _id: id,
    filename: `${newKey()}.bin`,
    original_filename: 'a',
    file_size: size,
    mime_type: 'text/plain',
    uploader_id: userId,
    created_at: now,
    is_deleted: false,
    stored: true,
    unsent: true,
    used_at: now,
    download_count: 0,
  };
}
