/** `letsapp keys create NAME | list | revoke ID`: the keys of the operator's own back end (PROTOCOL section 12). */
import type { Config } from './config.ts';
import { collections } from './model/collections.ts';
import { carryOut, readWords } from './operator/keys/command-line.ts';
import { createKeyStore } from './operator/keys/key-store.ts';
import { withStore } from './tool-store.ts';

/** @returns 0 */
export async function run(words: string[], config: Config): Promise<number> {
  const wanted = readWords(words);
  await withStore(config, async (client, name) => {
    const db = client.db(name);
    const { localTime } = await db.command({ hello: 1 });
    const said = await carryOut(
      wanted,
      createKeyStore(collections(db), () => localTime),
    );
    process.stdout.write(`${said}\n`);
  });
  return 0;
}
