/** Programs of the project as child processes that end with the worker, and the folders that go with them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const START_MS = 60_000;

const running = new Set<ChildProcess>();
const folders = new Set<string>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  // A program may write until it is gone.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
});
// How Vitest ends its workers, which half a second later are killed. By default the above would not be done.
process.once('SIGTERM', () => process.exit());

/** Ends a program with the worker, at the latest. */
export function killAtExit(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/** Removes a folder once the worker has ended, and the programs that it started have. */
export function removeAtExit(folder: string): void {
  folders.add(folder);
}

/** A folder for the data of a server, there until the worker ends if nobody removes it earlier. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'letsapp-test-'));
  removeAtExit(folder);
  return folder;
}

export interface Program {
  child: ChildProcess;
  url: string;
  /** Everything that it printed. */
  output(): string;
  exited: Promise<number | null>;
}

/**
 * Runs one of the project's programs and resolves once a line `listening on URL` was printed. The server's run bundled,
 * as `npm start` and the image do: from source each would first spend two seconds of a core. `npm run build` makes them.
 * @param root the checkout whose program it is
 */
export async function startProgram(
  entry: string,
  env: Record<string, string>,
  fromSource = !entry.startsWith('server/'),
  root = ROOT,
): Promise<Program> {
  const program = fromSource ? ['--import', 'tsx', entry] : [`dist/${entry.replace(/\.ts$/, '.js')}`];
  const child = spawn(process.execPath, program, {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'test', VITEST: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  killAtExit(child);
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${entry} does not listen: ${output}`)), START_MS);
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const found = /listening on (\S+)/.exec(output)?.[1];
      if (found) {
        clearTimeout(timer);
        resolve(found);
      }
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    void exited.then((code) => {
      clearTimeout(timer);
      reject(new Error(`${entry} ended with ${code}: ${output}`));
    });
  });
  return { child, url, output: () => output, exited };
}
