/** `storage-writer.ts FOLDER FROM`: writes numbered groups of keys until killed, and prints each number once it is durable. */
import { openStorage } from '../../server/embedded/storage/storage.ts';
import { groupKeys, KEYS } from './storage-groups.ts';

const [folder, from] = process.argv.slice(2) as [string, string];
const storage = openStorage(folder);
for (let number = Number(from); ; number++) {
  const { added, removed } = groupKeys(number);
  void storage
    .write(() => {
      for (const key of added) storage.put(key, Buffer.from(String(number)));
      for (const key of removed) storage.remove(key);
    })
    .then(() => process.stdout.write(`${number}\n`));
  // Several groups at once, so that they share an append.
  if (number % KEYS === 0) await storage.write(() => {});
}
