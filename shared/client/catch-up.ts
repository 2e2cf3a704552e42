/** Messages in the order of `rev`: what was missed comes by `sync`, and what arrives live meanwhile waits for it. */
import type { CommandData, CommandPayload, EventPayload } from '../contract/index.ts';
import type { Connection } from './connection.ts';
import { retryAfter } from './errors.ts';

type MessageEvent = 'message:new' | 'message:updated';
type MessagePayload = EventPayload<'message:new'>;

export interface CatchUp {
  /** The highest `rev` seen, by conversation. */
  readonly revs: Record<string, number>;
  /** A message that was told live: emitted in its turn, unless it is known already. */
  arrived(name: MessageEvent, payload: MessagePayload): void;
  /**
   * Fetches everything above the known revs, unless it is called anew meanwhile: then that call does.
   * @throws ClientError when the connection is lost meanwhile
   */
  sync(): Promise<void>;
}

export interface CatchUpOptions {
  connection: Pick<Connection, 'call'>;
  /** What the device has already. */
  revs: Record<string, number>;
  onMessage(name: MessageEvent, payload: MessagePayload): void;
  onPage(page: CommandData<'sync'>): void;
}

export function createCatchUp({ connection, revs, onMessage, onPage }: CatchUpOptions): CatchUp {
  let held: [MessageEvent, MessagePayload][] | undefined;
  let since: string | undefined;
  /** Counts the calls of `sync`: a later one takes over from an earlier one that still waits. */
  let latest = 0;

  function see({ conversation_id, rev }: { conversation_id: string; rev: number }): void {
    revs[conversation_id] = Math.max(revs[conversation_id] ?? 0, rev);
  }

  function arrived(name: MessageEvent, payload: MessagePayload): void {
    if (held) return void held.push([name, payload]);
    const { message } = payload;
    if (message.rev <= (revs[message.conversation_id] ?? 0)) return;
    see(message);
    onMessage(name, payload);
  }

  /**
   * Asks for a page, and waits where the server asks for that: a long absence takes more pages than the budget has.
   * @returns undefined where a later call has taken over
   */
  async function readPage(payload: CommandPayload<'sync'>, run: number): Promise<CommandData<'sync'> | undefined> {
    for (;;) {
      try {
        return await connection.call('sync', payload);
      } catch (error) {
        const wait = retryAfter(error);
        if (wait === undefined) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait));
        if (run !== latest) return undefined;
      }
    }
  }

  return {
    revs,
    arrived,
    async sync() {
      const run = ++latest;
      held ??= [];
      for (let cursor: string | undefined, more = true; more; ) {
        const payload = {
          conversations: revs,
          ...(since === undefined ? {} : { since }),
          ...(cursor === undefined ? {} : { cursor }),
        };
        const page = await readPage(payload, run);
        if (!page) return;
        for (const { conversation, messages, has_more } of page.conversations) {
          messages.forEach(see);
          if (!has_more) see(conversation);
        }
        for (const id of page.gone) delete revs[id];
        onPage(page);
        cursor = page.cursor;
        more = page.has_more || cursor !== undefined;
        if (!more) since = page.server_time;
      }
      const waiting = held;
      held = undefined;
      for (const [name, payload] of waiting) arrived(name, payload);
    },
  };
}
