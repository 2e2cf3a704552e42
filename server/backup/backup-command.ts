/** `letsapp backup FOLDER`: a backup of `DATA_DIR` with its embedded database, beside running servers or without them. */
import type { Config } from '../config.ts';
import { fillNewFolder } from '../lib/new-folder.ts';
import { copyEmbedded, withStore } from '../tool-store.ts';
import { makeBackup } from './backup.ts';

/**
 * @returns 0
 * @throws Error with a one-line message when the folder is not empty, or the database cannot be copied
 */
export async function run(args: string[], config: Config): Promise<number> {
  const [target, ...others] = args;
  if (target === undefined || others.length > 0) throw new Error('say where to: letsapp backup FOLDER');
  if (config.mongodbUrl !== undefined) {
    throw new Error(
      'MONGODB_URL is set, and a MongoDB is backed up by its own tools: mongodump --oplog, and DATA_DIR/media after it ' +
        '(docs/operations.md, "Backup")',
    );
  }
  const { files, bytes, counts } = await fillNewFolder(target, (folder) =>
    makeBackup(folder, {
      dataDir: config.dataDir,
      copyDatabase: (to) => copyEmbedded(config, to),
      tryDatabase: (dataDir) => countDocuments({ ...config, dataDir }),
    }),
  );
  const documents = Object.values(counts).reduce((sum, count) => sum + count, 0);
  process.stdout.write(`${target}: ${documents} documents, ${files} files, ${bytes} bytes\n`);
  return 0;
}

function countDocuments(config: Config): Promise<Record<string, number>> {
  return withStore(config, async (client, name) => {
    const db = client.db(name);
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map((collection) => collection.name);
    const counts: Record<string, number> = {};
    for (const collection of names.sort()) counts[collection] = await db.collection(collection).countDocuments();
    return counts;
  });
}
