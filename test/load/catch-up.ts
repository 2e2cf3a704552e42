/** `sync` after a connection was made, and at the end of a run. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import type { Message } from '../../shared/contract/documents.ts';
import type { CommandData } from '../../shared/contract/index.ts';
import type { WireAnswer } from './commands.ts';
import type { Recorder } from './recorder.ts';

interface CatchUpOptions {
  socket: Socket;
  timeoutMs: number;
  recorder: Recorder;
  /** The highest rev of each conversation up to which nothing is missing. */
  known(): Record<string, number>;
  /** Told of each message that comes. */
  keep(message: Message): void;
}

const ATTEMPTS = 3;

/**
 * @returns a function that repeats `sync` to the end, and gives the highest seq that its answers spoke of; undefined if
 * it did not come to the end
 */
export function createCatchUp(options: CatchUpOptions): () => Promise<number | undefined> {
  return async () => {
    let highest = 0;
    for (let attempt = 1; attempt <= ATTEMPTS; ) {
      const answer = await syncOnce(options);
      if (answer === undefined) attempt++;
      else highest = Math.max(highest, answer.highest);
      if (answer?.isLast) return highest;
      if (!options.socket.connected) return undefined;
    }
    return undefined;
  };
}

/** One answer of `sync`; undefined if it was refused or did not come. */
async function syncOnce({ socket, timeoutMs, recorder, known, keep }: CatchUpOptions) {
  const startedAt = performance.now();
  const answer: WireAnswer = await socket
    .timeout(timeoutMs)
    .emitWithAck('sync', { conversations: known() })
    .catch(() => ({ ok: false, error: { code: socket.connected ? 'timeout' : 'disconnected' } }));
  if (!answer.ok) {
    recorder.failed('sync', answer.error!.code, startedAt);
    await pause(answer.error!.details?.retry_after_ms ?? 0);
    return undefined;
  }
  recorder.answered('sync', startedAt);
  const { conversations, has_more } = answer.data as CommandData<'sync'>;
  let highest = 0;
  for (const entry of conversations) {
    for (const message of entry.messages) keep(message);
    highest = Math.max(highest, entry.messages.at(-1)?.seq ?? 0, entry.has_more ? 0 : entry.conversation.last_seq);
  }
  return { highest, isLast: !has_more && !conversations.some((entry) => entry.has_more) };
}
