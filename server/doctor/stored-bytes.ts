/** Lists and removes the bytes of uploads, wherever they are kept (`MEDIA_STORAGE`). */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type Db, ObjectId } from 'mongodb';
import { createDiskStorage } from '../media/storage/disk.ts';
import { createGridfsStorage } from '../media/storage/gridfs.ts';
import type { StoredBytes } from './check.ts';

const FILES = 'uploads.files';

/** In the database, by GridFS. */
export function bytesInGridfs(db: Db): StoredBytes {
  const files = db.collection(FILES);
  return {
    async *keys() {
      for await (const { _id } of files.find({}, { projection: { _id: 1 } })) yield String(_id);
    },
    async has(keys) {
      const found = await files.distinct('_id', { _id: { $in: keys.map((key) => new ObjectId(key)) } });
      return new Set(found.map(String));
    },
    remove: createGridfsStorage(db).remove,
  };
}

/** @param directory of the bytes: `media` in `DATA_DIR` */
export function bytesOnDisk(directory: string): StoredBytes {
  const namesIn = (folder: string) =>
    readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
  return {
    async *keys() {
      for (const folder of await namesIn(directory)) yield* await namesIn(path.join(directory, folder));
    },
    async has(keys) {
      const folders = new Set(keys.map((key) => key.slice(0, 2)));
      const names = await Promise.all([...folders].map((folder) => namesIn(path.join(directory, folder))));
      const stored = new Set(names.flat());
      return new Set(keys.filter((key) => stored.has(key)));
    },
    remove: createDiskStorage(directory).remove,
  };
}
