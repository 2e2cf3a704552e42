import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeUntilBreak } from '../../server/media/resumable/write-until-break.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'letsapp-break-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** Sends two pieces, then fails. */
async function* failing(error: Error) {
  yield Buffer.from('one ');
  yield Buffer.from('two');
  throw error;
}

it('what arrived before a break is kept', async () => {
  const file = path.join(directory, 'broken');
  expect(await writeUntilBreak(Readable.from(failing(new Error('the request broke off'))), file, () => {})).toBe(7);
  expect(await readFile(file, 'utf8')).toBe('one two');
});

it('more bytes than declared are refused', async () => {
  const refusal = Object.assign(new Error('too many'), { status_code: 413 });
  const file = path.join(directory, 'long');
  await expect(writeUntilBreak(Readable.from(failing(refusal)), file, () => {})).rejects.toBe(refusal);
});

it('a failing disk fails the request, and nothing else', async () => {
  const file = path.join(directory, 'taken');
  await writeFile(file, '');
  await expect(writeUntilBreak(Readable.from([Buffer.from('x')]), file, () => {})).rejects.toMatchObject({
    code: 'EEXIST',
  });
});
