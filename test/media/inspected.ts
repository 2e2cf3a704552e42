/** Files that the server's inspection looks at, and what it says of the samples. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { createInspection, type Inspection } from '../../server/media/inspect/inspection.ts';

/** Starts an inspection before the tests of a file, and ends it after them. */
export function inspectionScene() {
  let directory: string;
  let inspection: Inspection;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'letsapp-device-files-'));
    inspection = createInspection();
  });
  afterAll(async () => {
    await inspection.close();
    await rm(directory, { recursive: true });
  });

  let serial = 0;
  async function fileOf(content: Uint8Array | string): Promise<string> {
    const file = path.join(directory, String(serial++));
    await writeFile(file, content);
    return file;
  }
  const inspect = async (content: Uint8Array) => inspection.media(await fileOf(content));
  return {
    get inspection() {
      return inspection;
    },
    fileOf,
    inspect,
  };
}

/** Two seconds, as the samples last, more or less. */
export const near2 = expect.closeTo(2, 0);
export const FILM = { mediaType: 'video', duration: near2, width: 160, height: 120 };
export const VOICE = { mediaType: 'audio', duration: near2 };
