/** `letsapp restore FOLDER`: puts a backup into the empty folder `DATA_DIR`, on which a server can be started then. */
import type { Config } from '../config.ts';
import { restoreBackup } from './restore.ts';

/**
 * @returns 0
 * @throws Error with a one-line message when the backup is damaged, or something is in `DATA_DIR`
 */
export async function run(args: string[], config: Config): Promise<number> {
  const [backup, ...others] = args;
  if (backup === undefined || others.length > 0) throw new Error('say from where: letsapp restore FOLDER');
  if (config.mongodbUrl !== undefined) {
    throw new Error('MONGODB_URL is set, but a backup holds an embedded database: unset it, or use mongorestore');
  }
  const { begun_at, files } = await restoreBackup(backup, config.dataDir);
  process.stdout.write(`${config.dataDir}: ${files} files of the backup of ${begun_at}\n`);
  return 0;
}
