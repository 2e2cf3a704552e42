/** What was missed: fetched by `sync`, told as what is live, and in its turn. What arrives live meanwhile waits for it. */
import type { Call } from '../commands.ts';
import type { CommandData, CommandPayload, Message } from '../contract.ts';
import { ClientError, retryAfter } from '../errors.ts';
import { noveltyOf } from '../store/conversation.ts';
import type { Kept } from '../store/state.ts';
import type { Store } from '../store/store.ts';

/** Conversations that are named in one `sync`: what a frame has room for, by far. */
const MOST_NAMED = 3000;

type Page = CommandData<'sync'>;

export interface CatchUpOptions {
  call: Call;
  store: Store;
  /** How many messages of each conversation a first start takes. */
  newest: number;
  /** Told each message in the order of `rev`. */
  onMessage(name: 'message:new' | 'message:updated', message: Message, isMissed: boolean): void;
  /** Told the conversations of each page, once they are in the store. */
  onPage(ids: string[]): void;
}

export interface CatchUp {
  /** A message came by an event. */
  arrived(message: Message): void;
  /** What arrives from now on waits for `run`. */
  hold(): void;
  /**
   * Fetches all that is missing, unless it is called anew meanwhile: then that call does.
   * @param isMissed whether what comes was missed: written while there was no connection
   * @returns whether it came to its end
   * @throws ClientError when the connection is lost
   */
  run(isMissed?: boolean): Promise<boolean>;
}

export function createCatchUp({ call, store, newest, onMessage, onPage }: CatchUpOptions): CatchUp {
  let held: Message[] | undefined;
  /** Counts the runs: a later one takes over from an earlier one that still waits. */
  let latest = 0;

  function take(message: Message, isMissed: boolean): void {
    const novelty = noveltyOf(store.state().conversations.get(message.conversation_id), message);
    const event = novelty === 'new' ? 'message:new' : 'message:updated';
    store.apply({ event, payload: { message } });
    if (novelty) onMessage(event, message, isMissed);
  }

  /** What the server is told of what is here: the latest conversations, if there are very many. */
  function named(): { revs: Record<string, number>; isCut: boolean } {
    const known = [...store.state().conversations].filter(([, { rev }]) => rev > 0);
    if (known.length > MOST_NAMED) known.sort(([, one], [, other]) => (activityOf(one) < activityOf(other) ? 1 : -1));
    const revs = Object.fromEntries(known.slice(0, MOST_NAMED).map(([id, { rev }]) => [id, rev]));
    return { revs, isCut: known.length > MOST_NAMED };
  }

  /** Asks for a page, and waits where the server asks for that: a long absence may take more than the budget has. */
  async function ask(payload: CommandPayload<'sync'>, run: number): Promise<Page | undefined> {
    for (;;) {
      if (run !== latest) return undefined;
      try {
        return await call('sync', payload);
      } catch (error) {
        // It failed with its connection, and a later run has begun on the next one.
        if (run !== latest) return undefined;
        const wait = retryAfter(error);
        if (wait === undefined) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  /** What of a page the app has to be told. */
  function newsOf(page: Page, revs: Record<string, number>, isQuiet: boolean): [Message, 'new' | 'updated'][] {
    const { conversations } = store.state();
    return page.conversations.flatMap(({ conversation, messages }) => {
      const id = conversation.conversation_id;
      const kept = conversations.get(id);
      const isNamed = id in revs;
      if (isQuiet && !isNamed) return [];
      // Of a conversation that has just come into being, what was there before is no news.
      const told = kept && !isNamed ? messages.filter(({ seq }) => seq >= kept.fromSeq) : messages;
      return told.flatMap((message): [Message, 'new' | 'updated'][] => {
        const novelty = noveltyOf(kept, message);
        return novelty ? [[message, novelty]] : [];
      });
    });
  }

  return {
    arrived(message) {
      if (held) held.push(message);
      else take(message, false);
    },
    hold() {
      held ??= [];
    },
    async run(isMissed = true) {
      const run = ++latest;
      held ??= [];
      const { since } = store.state();
      let cursor: string | undefined;
      do {
        const { revs, isCut } = named();
        // After an absence everything comes; at a first start what a screen shows.
        const most = since === undefined || isCut ? newest : undefined;
        const payload = {
          conversations: revs,
          ...(since === undefined ? {} : { since }),
          ...(most === undefined ? {} : { newest: most }),
          ...(cursor === undefined ? {} : { cursor }),
        };
        const page = await ask(payload, run);
        if (!page || run !== latest) return false;
        const news = newsOf(page, revs, since === undefined);
        store.apply({ page, named: revs, newest: most, isFirst: cursor === undefined });
        for (const [message, novelty] of news)
          onMessage(novelty === 'new' ? 'message:new' : 'message:updated', message, isMissed);
        onPage(page.conversations.map(({ conversation }) => conversation.conversation_id));
        cursor = page.has_more ? page.cursor : undefined;
        if (page.has_more && cursor === undefined)
          throw new ClientError({ code: 'internal', message: 'sync has no end' });
      } while (cursor !== undefined);
      const waiting = held ?? [];
      held = undefined;
      for (const message of waiting) take(message, false);
      return true;
    },
  };
}

const activityOf = ({ conversation }: Kept) => conversation?.updated_at ?? '';
