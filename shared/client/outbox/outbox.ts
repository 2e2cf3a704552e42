/**
 * Sends that wait out whatever may happen: each is stored under its `client_message_id` before it is sent, and repeated
 * under it until the server has answered. Of a conversation they go out one after the other.
 */
import type { CommandData, Target } from '../contract.ts';
import { toClientError } from '../errors.ts';
import { keyOf } from '../store/state.ts';
import { createEntries, type Entries } from './entries.ts';
import { type Draft, type Item, newId, nextOrder } from './item.ts';
import { createLanes } from './lanes.ts';

/** Refusals that say nothing about the message. */
const PASSING = ['unavailable', 'rate_limited', 'unauthenticated'];

export interface OutboxOptions {
  isReady(): boolean;
  /** Sends an item. @throws ClientError */
  transmit(item: Item): Promise<CommandData<'message:send'>>;
  /** The server has taken an item, which leaves the outbox in this moment. */
  onSent(data: CommandData<'message:send'>, item: Item): void;
  /** The items are others now. */
  onChanged(): void;
  /** The shelf has changed: others who use it have to look. */
  onStored(): void;
}

export interface Outbox extends Pick<Entries, 'items' | 'open' | 'reread' | 'settled'> {
  add(target: Target, draft: Draft, shown?: Item['shown']): Item;
  /** A failed one goes out again, in its old place. @returns whether there is one */
  retry(id: string): boolean;
  /** @returns whether there was one */
  discard(id: string): boolean;
  /** The server has it, as turned out in another way than by its answer. */
  arrived(id: string): void;
  /** Sends from now on: of all who use a shelf one does. */
  lead(): void;
  /** There is a connection: what waits goes out. */
  flush(): void;
  close(): void;
}

export function createOutbox({ isReady, transmit, onSent, onChanged, onStored }: OutboxOptions): Outbox {
  let leads = false;
  const start = createLanes<Item>({
    first(key) {
      const item = entries.items().find(({ target, failed }) => !failed && keyOf(target) === key);
      return item && entries.isSendable(item.id) ? item : undefined;
    },
    mayGo: () => leads && isReady(),
    carryOut,
  });
  const onSendable = ({ target }: Item) => start(keyOf(target));
  const entries = createEntries({ onChanged, onStored, onSendable });

  async function carryOut(item: Item): Promise<void> {
    try {
      onSent(await transmit(item), item);
      entries.remove(item.id);
    } catch (error) {
      const { code, message, details } = toClientError(error);
      if (PASSING.includes(code)) throw error;
      if (entries.get(item.id) === item) entries.keep({ ...item, failed: { code, message, details } });
    }
  }

  return {
    items: entries.items,
    open: entries.open,
    reread: entries.reread,
    settled: entries.settled,
    add(target, draft, shown) {
      const created_at = new Date().toISOString();
      const item: Item = { id: newId(), order: nextOrder(), target, draft, created_at, ...(shown ? { shown } : {}) };
      entries.keep(item);
      return item;
    },
    retry(id) {
      const item = entries.get(id);
      if (!item?.failed) return false;
      const { failed: _, ...anew } = item;
      entries.keep(anew);
      return true;
    },
    discard: entries.remove,
    arrived: (id) => void entries.remove(id),
    lead() {
      leads = true;
      void entries.reread();
    },
    flush: () => entries.items().forEach(onSendable),
    close() {
      leads = false;
      entries.close();
    },
  };
}
