/** The tool's worker processes, as its parent sees them. */
import { fork } from 'node:child_process';
import path from 'node:path';
import type { FromWorker, Share, ToWorker } from './process-messages.ts';

export type Done = Extract<FromWorker, { kind: 'done' }>;

export interface Worker {
  /** @throws Error when it could not be prepared */
  ready: Promise<void>;
  done: Promise<Done>;
  tell(message: ToWorker): void;
  kill(): void;
}

/** @param onMessage told what it says in between */
export function startWorker(share: Share, onMessage: (message: FromWorker) => void): Worker {
  const child = fork(path.join(import.meta.dirname, 'worker.ts'), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let isReady: () => void;
  let isDone: (done: Done) => void;
  let fail: (message: string) => void;
  const failed = new Promise<never>((_, reject) => {
    fail = (message) => reject(new Error(message));
  });
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const done = new Promise<Done>((resolve) => {
    isDone = resolve;
  });
  child.on('message', (message: FromWorker) => {
    if (message.kind === 'ready') isReady();
    else if (message.kind === 'done') isDone(message);
    else if (message.kind === 'failed') fail(message.message);
    else onMessage(message);
  });
  child.once('exit', (code, signal) => fail(`a process of the tool ended with ${code ?? signal}`));
  function tell(message: ToWorker): void {
    // One that is done has left.
    if (child.connected) child.send(message);
  }
  tell({ kind: 'prepare', share });
  const parts = { ready: Promise.race([ready, failed]), done: Promise.race([done, failed]) };
  // Of the two, one is waited for at a time: the other's failure is the same.
  for (const part of Object.values(parts)) part.catch(() => {});
  return { ...parts, tell, kill: () => void child.kill('SIGKILL') };
}
