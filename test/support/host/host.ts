/** The process that runs the servers of all the test files of a worker, unless they ask for a process of their own. */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { killAtExit } from '../program.ts';
import type { HostAnswer, HostRequest } from './messages.ts';

/** By build.mjs, beside this. */
const PROGRAM = path.resolve(import.meta.dirname, '../../../node_modules/.test-host/program.js');
/** How much of what it printed is told when it ends unexpectedly, in characters. */
const TOLD = 10_000;

interface Pending {
  resolve(answer: HostAnswer): void;
  reject(error: Error): void;
}

const pending = new Map<number, Pending>();
let host: ChildProcess | undefined;
let requests = 0;

/**
 * Starts a server in the host.
 * @param env its whole environment, with `MONGODB_URL`
 * @returns where it listens, and what stops it as SIGTERM does
 * @throws Error that says why it does not start
 */
export async function startInHost(env: Record<string, string>): Promise<{ url: string; stop(): Promise<void> }> {
  const id = ++requests;
  const { url } = await ask({ id, env });
  let stopped: Promise<unknown> | undefined;
  return {
    url: url!,
    async stop() {
      stopped ??= ask({ id });
      await stopped;
    },
  };
}

async function ask(request: HostRequest): Promise<HostAnswer> {
  host ??= startHost();
  const answer = await new Promise<HostAnswer>((resolve, reject) => {
    pending.set(request.id, { resolve, reject });
    host!.send(request);
  });
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer;
}

function startHost(): ChildProcess {
  const child = fork(PROGRAM, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  killAtExit(child);
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-TOLD);
    });
  }
  child.on('message', (answer: HostAnswer) => {
    pending.get(answer.id)?.resolve(answer);
    pending.delete(answer.id);
  });
  child.once('exit', (code, signal) => {
    host = undefined;
    const error = new Error(`the host of the tests' servers ended with ${code ?? signal}: ${output}`);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  });
  return child;
}
