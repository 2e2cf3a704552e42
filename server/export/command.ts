/** `letsapp export --user ID [--to FOLDER]`: what is stored of a user, to be handed out. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Config } from '../config.ts';
import { createMessageStore } from '../conversations/message-store.ts';
import { fillNewFolder } from '../lib/new-folder.ts';
import { createDiskStorage } from '../media/storage/disk.ts';
import { createGridfsStorage } from '../media/storage/gridfs.ts';
import { fromId } from '../model/codec.ts';
import { collections as collectionsOf } from '../model/collections.ts';
import { withStore } from '../tool-store.ts';
import { exportUser } from './export.ts';

const ID = /^[0-9a-f]{24}$/;

/**
 * @returns 0
 * @throws Error with a one-line message when there is no such user, or something is in the folder
 */
export async function run(args: string[], config: Config): Promise<number> {
  const { values } = parseArgs({ args, options: { user: { type: 'string' }, to: { type: 'string' } } });
  const { user, to = `export-${user}` } = values;
  if (user === undefined || !ID.test(user)) throw new Error('say whose: letsapp export --user ID [--to FOLDER]');
  return withStore(config, async (client, name) => {
    const db = client.db(name);
    const collections = collectionsOf(db);
    const user_id = fromId(user);
    if (!(await collections.users.findOne({ _id: user_id }, { projection: { _id: 1 } }))) {
      throw new Error(`there is no user ${user}`);
    }
    const storage =
      config.mediaStorage === 'disk' ? createDiskStorage(path.join(config.dataDir, 'media')) : createGridfsStorage(db);
    const store = createMessageStore(collections);
    const counts = await fillNewFolder(to, (folder) => exportUser({ user_id, collections, store, storage }, folder));
    const told = Object.entries(counts).filter(([, count]) => count > 0);
    process.stdout.write(`${to}: ${told.map(([list, count]) => `${count} ${list}`).join(', ')}\n`);
    return 0;
  });
}
