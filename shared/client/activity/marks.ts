/** Tells the server what was delivered and read: the last mark of each conversation, one after the other. */
import type { Call } from '../commands.ts';
import type { Target } from '../contract.ts';
import { retryAfter, toClientError } from '../errors.ts';
import { receiptOf } from '../store/receipts.ts';
import type { Store } from '../store/store.ts';

/** How long marks are gathered, in milliseconds. */
const GATHER_MS = 50;

export interface MarksOptions {
  call: Call;
  isReady(): boolean;
  store: Store;
}

export interface Marks {
  /** Whatever others have written there has arrived on this device. */
  delivered(conversationId: string): void;
  /** The user has read all that is there. */
  read(target: Target): void;
  /** There is a connection: what waits goes out. */
  flush(): void;
  close(): void;
}

export function createMarks({ call, isReady, store }: MarksOptions): Marks {
  const toDeliver = new Set<string>();
  /** The `seq` read up to, by conversation. */
  const toRead = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isRunning = false;
  let isClosed = false;

  function flush(delay = GATHER_MS): void {
    if (isClosed || isRunning || !isReady() || (toDeliver.size === 0 && toRead.size === 0)) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      isRunning = true;
      void run().then((wait) => {
        isRunning = false;
        flush(wait);
      });
    }, delay);
  }

  /** @returns the pause before the next run, in milliseconds */
  async function run(): Promise<number> {
    while (isReady()) {
      const [id] = toRead.keys().next().value === undefined ? toDeliver : toRead.keys();
      if (id === undefined) break;
      try {
        await tell(id);
      } catch (error) {
        const wait = retryAfter(error);
        if (wait !== undefined) return wait;
        if (toClientError(error).code === 'unavailable') return 1000;
        // Refused: it is not asked for again.
        toRead.delete(id);
        toDeliver.delete(id);
      }
    }
    return GATHER_MS;
  }

  async function tell(id: string): Promise<void> {
    const kept = store.state().conversations.get(id);
    const me = store.state().me?._id;
    const own = receiptOf(kept?.conversation?.receipts ?? [], me);
    const read = toRead.get(id);
    if (kept && read !== undefined) {
      const data = await call('message:read', { ...kept.target, up_to_seq: read });
      if (toRead.get(id) === read) toRead.delete(id);
      store.apply({ answer: 'message:read', payload: { ...kept.target, up_to_seq: read }, data });
      if ((lastOfOthers(id) ?? 0) <= read) toDeliver.delete(id);
      return;
    }
    toDeliver.delete(id);
    toRead.delete(id);
    const delivered = lastOfOthers(id);
    if (!kept || !me || delivered === undefined || delivered <= (own?.delivered_seq ?? 0)) return;
    try {
      await call('message:delivered', { ...kept.target, up_to_seq: delivered });
    } catch (error) {
      toDeliver.add(id);
      throw error;
    }
    const marks = { user_id: me, delivered_seq: delivered, read_seq: own?.read_seq ?? 0 };
    store.apply({ event: 'message:status', payload: { conversation_id: id, ...marks, at: '' } });
  }

  /** The `seq` of the newest message of somebody else. */
  function lastOfOthers(id: string): number | undefined {
    const { conversations, me } = store.state();
    return conversations.get(id)?.messages.findLast(({ sender_id }) => sender_id !== me?._id)?.seq;
  }

  return {
    delivered(id) {
      toDeliver.add(id);
      flush();
    },
    read(target) {
      const [id, kept] = store.find(target) ?? [];
      const last = kept?.conversation?.last_seq ?? kept?.messages.at(-1)?.seq;
      if (id === undefined || !last) return;
      const own = receiptOf(kept?.conversation?.receipts ?? [], store.state().me?._id);
      if ((own?.read_seq ?? 0) >= last) return;
      toRead.set(id, last);
      store.apply({ read: id, seq: last });
      flush();
    },
    flush: () => flush(),
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
