import { execFile } from 'node:child_process';
import path from 'node:path';

const PROGRAM = path.resolve(import.meta.dirname, '../../dist/server/tools.js');

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** `npm run keys -- …words`, with these settings. */
export function runKeys(env: Record<string, string>, ...words: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [PROGRAM, 'keys', ...words],
      { env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        resolve({ code: Number(error?.code ?? 0), stdout, stderr });
      },
    );
  });
}

/** Makes a key. @returns it, and its id */
export async function createKey(env: Record<string, string>, name = 'backend'): Promise<{ key: string; id: string }> {
  const { stdout, stderr } = await runKeys(env, 'create', name);
  const key = stdout.trim();
  const id = /^lsk_([0-9a-f]{16})_[\w-]{43}$/.exec(key)?.[1];
  if (id === undefined) throw new Error(`no key: ${stdout} ${stderr}`);
  return { key, id };
}
