/** `letsapp doctor [--repair]`: looks at everything that is stored, and says what does not fit together. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Config } from '../config.ts';
import { createMessageStore } from '../conversations/message-store.ts';
import { collections as collectionsOf } from '../model/collections.ts';
import { startDatabaseClock } from '../model/database-clock.ts';
import { createLog } from '../observability/log.ts';
import { withStore } from '../tool-store.ts';
import { examine } from './doctor.ts';
import { bytesInGridfs, bytesOnDisk } from './stored-bytes.ts';

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** @returns 0 when everything fits together, or does now; else 1 */
export async function run(args: string[], config: Config): Promise<number> {
  const { values } = parseArgs({ args, options: { repair: { type: 'boolean', default: false } } });
  const log = createLog('warn', config.production);
  return withStore(config, async (client, name) => {
    const db = client.db(name);
    const collections = collectionsOf(db);
    const clock = await startDatabaseClock(db, log);
    const bytes = config.mediaStorage === 'disk' ? bytesOnDisk(path.join(config.dataDir, 'media')) : bytesInGridfs(db);
    const context = { db, collections, store: createMessageStore(collections), bytes, clock: clock.now, log };
    try {
      const { found, mended } = await examine({ context, repair: values.repair, say });
      say(found === 0 ? 'nothing is wrong' : `${found} found, ${mended} mended`);
      return found === mended ? 0 : 1;
    } finally {
      await clock.close();
    }
  });
}
