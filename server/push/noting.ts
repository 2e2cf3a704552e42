/** What a session acknowledges by its commands is noted for push, where its user uses push. */
import type { Logger } from 'pino';
import type { Target } from '../../shared/contract/values.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { createLru } from '../lib/lru.ts';
import { fromId } from '../model/codec.ts';
import { pairId } from '../model/conversation-ref.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { PushJobStore, ReadPlace } from './jobs/job-store.ts';

/** How many users of push are remembered. */
const REMEMBERED = 100_000;
/** How long a reading waits for company, in milliseconds: longer than it takes until its session is noted. */
const GATHER_MS = 400;

type Noted = HandlersOf<'message:delivered' | 'message:read' | 'thread:read' | 'call:accept' | 'call:join'>;

export interface Noting {
  /** A user uses push: what the user's sessions acknowledge here is noted from now on. */
  usesPush(userId: string): void;
  /** The same handlers; what they have done is noted. No answer waits for that. */
  noting(handlers: Noted): Noted;
  close(): void;
}

export interface NotingOptions {
  acknowledgements: Pick<Acknowledgements, 'note'>;
  jobs: Pick<PushJobStore, 'knockShown'>;
  onStored(): void;
  log: Logger;
}

export function createNoting({ acknowledgements, jobs, onStored, log }: NotingOptions): Noting {
  const users = createLru<true>('users of push', REMEMBERED);
  /** Asking keeps a user remembered: those who are forgotten first have acknowledged nothing for long. */
  const uses = (userId: string) => users.get(userId) === true;
  const read = new Map<string, ReadPlace>();
  let timer: NodeJS.Timeout | undefined;

  async function knock(): Promise<void> {
    timer = undefined;
    const batch = [...read.values()];
    read.clear();
    await jobs.knockShown(batch);
    onStored();
  }

  /** @param subject the conversation, or the message that the thread hangs on */
  function readToItsEnd(userId: string, subject: string, place: ReadPlace): void {
    if (!uses(userId)) return;
    read.set(`${userId} ${subject}`, place);
    timer ??= setTimeout(() => {
      // What is lost here is found when the job is looked at again.
      void knock().catch((err: unknown) => log.debug({ err }, 'devices are not told yet of what was read elsewhere'));
    }, GATHER_MS).unref();
  }

  /** Whoever acts for a user without a session has no device that could acknowledge. */
  function note({ id, sessionId }: Caller, subject: string, delivered_seq: number, read_seq: number): void {
    if (uses(id) && sessionId !== undefined) {
      acknowledgements.note({ sessionId, subject }, { delivered_seq, read_seq });
    }
  }

  return {
    usesPush: (userId) => void users.set(userId, true),
    noting: (handlers) => ({
      async 'message:delivered'(caller, payload, dueAt) {
        const data = await handlers['message:delivered'](caller, payload, dueAt);
        note(caller, conversationOf(caller, payload), payload.up_to_seq, 0);
        return data;
      },
      async 'message:read'(caller, payload, dueAt) {
        const data = await handlers['message:read'](caller, payload, dueAt);
        const { up_to_seq } = payload;
        const conversationId = conversationOf(caller, payload);
        note(caller, conversationId, up_to_seq, up_to_seq);
        if (data.unread_count === 0) {
          readToItsEnd(caller.id, conversationId, { userId: caller.userId, conversationId });
        }
        return data;
      },
      async 'thread:read'(caller, payload, dueAt) {
        const data = await handlers['thread:read'](caller, payload, dueAt);
        const { message_id, up_to_seq } = payload;
        note(caller, message_id, up_to_seq, up_to_seq);
        if (data.unread_count === 0) {
          readToItsEnd(caller.id, message_id, { userId: caller.userId, rootId: fromId(message_id) });
        }
        return data;
      },
      async 'call:accept'(caller, payload, dueAt) {
        const data = await handlers['call:accept'](caller, payload, dueAt);
        note(caller, payload.call_id, 1, 1);
        return data;
      },
      async 'call:join'(caller, payload, dueAt) {
        const data = await handlers['call:join'](caller, payload, dueAt);
        note(caller, payload.call_id, 1, 1);
        return data;
      },
    }),
    close: () => clearTimeout(timer),
  };
}

function conversationOf({ id }: Caller, { recipient_id, group_id }: Target): string {
  return recipient_id === undefined ? group_id! : pairId(id, recipient_id);
}
