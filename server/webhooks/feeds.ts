/** The feeds of all webhooks on this node: made and ended as webhooks are, told of changes, noted in the store. */
import type { Logger } from 'pino';
import type { Partitions } from '../cluster/partitions.ts';
import type { ChangedConversations, Follower, Following } from '../conversations/changed-conversations.ts';
import { every } from '../lib/every.ts';
import type { WebhookDocument } from '../model/documents/webhooks.ts';
import type { WebhookList } from '../outbox/webhook-list.ts';
import { createFeed, type Feed, type FeedOptions } from './delivery/feed.ts';

const LOOK_MS = 1000;

export interface Feeds {
  /** Something happened to a group, user or call; it is stored for a webhook. */
  happened(webhookId: string, stream: string): void;
  /** Resolves when all that this node knows to wait is noted in the store. */
  note(): Promise<void>;
  /** How many streams wait, as far as this node knows. */
  size(): number;
  /** For how long nothing was taken of the stream that waits for longest, in seconds, as far as this node knows. */
  oldestSeconds(): number;
  close(): Promise<void>;
}

export interface FeedsOptions extends FeedOptions {
  list: WebhookList;
  changed: ChangedConversations;
  partitions: Pick<Partitions, 'owned'>;
  log: Logger;
}

export function startFeeds(options: FeedsOptions): Feeds {
  const { list, changed, partitions, log } = options;
  const feeds = new Map<string, { feed: Feed; version: number }>();
  let following: Following | undefined;
  let closed = false;
  const all = () => [...feeds.values()].map(({ feed }) => feed);
  const note = async () => void (await Promise.all(all().map((feed) => feed.note())));
  const look = () => Promise.all(all().map((feed) => feed.look(partitions.owned())));

  const follower: Follower = {
    changed(conversations) {
      for (const feed of all()) feed.changed(conversations);
    },
    noted: note,
    gained: () => void look().catch((err) => log.debug({ err }, 'what waits is looked for later')),
    lost(ids) {
      for (const feed of all()) feed.lost(ids);
    },
  };

  function add(webhook: WebhookDocument): void {
    const feed = createFeed(webhook, options);
    feeds.set(webhook._id.toHexString(), { feed, version: webhook.version });
    if (following) following.lookFrom(webhook.since);
    else following = changed.follow(follower, webhook.since);
  }

  function end(id: string): void {
    const ended = feeds.get(id)?.feed.close();
    feeds.delete(id);
    ended?.catch((err: unknown) => log.debug({ err }, 'a feed has ended'));
  }

  list.onChange((webhooks) => {
    if (closed) return;
    const ids = new Set(webhooks.map(({ _id }) => _id.toHexString()));
    for (const id of [...feeds.keys()]) if (!ids.has(id)) end(id);
    for (const webhook of webhooks) {
      const known = feeds.get(webhook._id.toHexString());
      if (!known) add(webhook);
      else if (known.version !== webhook.version) {
        known.version = webhook.version;
        known.feed.replace(webhook);
        following?.lookFrom(webhook.since);
      }
    }
    if (feeds.size > 0) return;
    following?.close();
    following = undefined;
  });

  const looking = every(
    LOOK_MS,
    async () => {
      await note();
      await look();
    },
    (err) => log.debug({ err }, 'what waits for webhooks could not be looked at; trying again'),
  );

  return {
    happened: (webhookId, stream) => feeds.get(webhookId)?.feed.happened(stream),
    note,
    size: () => all().reduce((sum, feed) => sum + feed.size(), 0),
    oldestSeconds() {
      const oldest = all().flatMap((feed) => feed.oldest() ?? []);
      return oldest.length === 0 ? 0 : (performance.now() - Math.min(...oldest)) / 1000;
    },
    async close() {
      closed = true;
      looking.close();
      following?.close();
      await Promise.all(all().map((feed) => feed.close()));
    },
  };
}
