/** Hands out what is stored of one user: a folder of JSON lines and files, written as it is read. */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ACCOUNT_PARTS } from './account-parts.ts';
import { MESSAGE_PARTS } from './message-parts.ts';
import type { ExportContext } from './part.ts';
import { exportUploads } from './uploads.ts';

const PARTS = [...ACCOUNT_PARTS, ...MESSAGE_PARTS];
const UPLOADS =
  'own uploads, and those received in conversations of two; the bytes are in uploads/, named by their ids';

/** How many objects each list has. */
export type Counts = Record<string, number>;

/** @param folder empty */
export async function exportUser(context: ExportContext, folder: string): Promise<Counts> {
  const counts: Counts = {};
  for (const { name, read } of PARTS) counts[name] = await writeLines(folder, name, read(context));
  counts.uploads = await writeLines(folder, 'uploads', exportUploads(context, folder));
  const lists = Object.fromEntries(
    [...PARTS, { name: 'uploads', holds: UPLOADS }].map(({ name, holds }) => [
      `${name}.jsonl`,
      { holds, count: counts[name] },
    ]),
  );
  const about = { user_id: context.user_id.toHexString(), exported_at: new Date().toISOString(), lists };
  await writeFile(path.join(folder, 'export.json'), `${JSON.stringify(about, null, 2)}\n`, { mode: 0o600 });
  return counts;
}

async function writeLines(folder: string, name: string, objects: AsyncIterable<object>): Promise<number> {
  let count = 0;
  async function* lines() {
    for await (const object of objects) {
      count++;
      yield `${JSON.stringify(object)}\n`;
    }
  }
  await pipeline(lines, createWriteStream(path.join(folder, `${name}.jsonl`), { mode: 0o600 }));
  return count;
}
