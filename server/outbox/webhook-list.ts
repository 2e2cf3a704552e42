/**
 * The webhooks that exist, as each node remembers them: looked up every second where another node may change them, so
 * that other work can rely on them without asking.
 */
import type { Logger } from 'pino';
import type { Neighbours } from '../cluster/neighbours.ts';
import { every } from '../lib/every.ts';
import type { Collections } from '../model/collections.ts';
import type { WebhookDocument } from '../model/documents/webhooks.ts';

const LOOK_MS = 1000;
/** What is older, in milliseconds, is not relied on. */
export const REMEMBERED_MS = 2000;
/**
 * The same, and how often to look, while no other node is alive: only this one changes them, and looks at once then.
 */
const ALONE = { lookMs: 10_000, rememberedMs: 20_000 };

export interface WebhookList {
  /** As they were at the last look. */
  all(): readonly WebhookDocument[];
  /** Whether there may be any: also true when nobody has looked for two seconds. */
  mayExist(): boolean;
  /** Tells a listener of each list that differs from the one before; of the present one at once. */
  onChange(listener: (webhooks: readonly WebhookDocument[]) => void): void;
  /** Looks at once. */
  look(): Promise<void>;
  close(): void;
}

export interface WebhookListOptions {
  collections: Pick<Collections, 'webhooks'>;
  neighbours: Pick<Neighbours, 'isAlone'>;
  log: Logger;
}

/** Looks before it resolves. @throws MongoError when the store cannot be reached */
export async function watchWebhooks(options: WebhookListOptions): Promise<WebhookList> {
  const { webhooks } = options.collections;
  const { neighbours, log } = options;
  const listeners: ((webhooks: readonly WebhookDocument[]) => void)[] = [];
  let known: readonly WebhookDocument[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** Looks are numbered: the answer of an earlier one never replaces that of a later one. */
  let begun = 0;
  let newest = 0;

  async function look(): Promise<void> {
    const number = ++begun;
    const asked = performance.now();
    const found = await webhooks.find().sort({ _id: 1 }).toArray().catch(onNotFound);
    if (number < newest) return;
    newest = number;
    lookedAt = asked;
    const isSame = stateOf(found) === stateOf(known);
    known = found;
    if (!isSame) for (const listener of listeners) listener(found);
  }

  function onNotFound(error: unknown): never {
    // It may have been changed: the next second looks again, and until then nobody relies on what is known.
    lookedAt = Number.NEGATIVE_INFINITY;
    throw error;
  }

  const age = () => performance.now() - lookedAt;
  const isDue = () => !neighbours.isAlone() || age() >= ALONE.lookMs;

  await look();
  const looking = every(
    LOOK_MS,
    async () => isDue() && look(),
    (err) => log.debug({ err }, 'the webhooks could not be looked up'),
  );
  return {
    all: () => known,
    mayExist: () => known.length > 0 || age() > (neighbours.isAlone() ? ALONE.rememberedMs : REMEMBERED_MS),
    onChange(listener) {
      listeners.push(listener);
      listener(known);
    },
    look,
    close: looking.close,
  };
}

const stateOf = (webhooks: readonly WebhookDocument[]) =>
  webhooks.map(({ _id, version }) => `${_id.toHexString()} ${version}`).join();
