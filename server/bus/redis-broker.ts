/**
 * Carries operations to the nodes that have a recipient, over Redis. There is one channel for each room: a node is
 * subscribed to the rooms that it has connections in, and so works only for what concerns it. Its own sockets are
 * served at once, with or without Redis.
 */
import type { RedisLink } from './redis-link.ts';
import type { Broker } from './bus.ts';
import type { Operation } from './operations.ts';
import { createReplay } from './replay.ts';
import { groupRoom, sessionRoom, userRoom } from './rooms.ts';
import type { Subscriptions } from './subscriptions.ts';

/** The channel that every node is subscribed to. */
const ALL = 'all';
/** How many operations are remembered to recognise those that arrive on several channels. */
const REMEMBERED = 10_000;
/** How long a connection waits to be subscribed before it goes on without, in milliseconds. */
const SUBSCRIBE_PATIENCE_MS = 1000;
/** How long requests to publish again are gathered, in milliseconds. */
const REPLAY_DELAY_MS = 200;
/** More than clocks differ, in milliseconds: those who know an event already do not hear it again. */
const REPLAY_MARGIN_MS = 5000;

/** What nodes say to each other besides operations. */
type Request =
  /** What was stored after `since` may not have been told: compare with the database. */
  | { kind: 'resync'; since: number }
  /** What was published since then may not have arrived: publish it again. */
  | { kind: 'replay'; since: number };

export interface RedisBroker extends Broker, Subscriptions {
  /** Asks the other nodes to compare with the database what was stored after a moment, in milliseconds. */
  askResync(since: number): void;
  /**
   * Publishes again what cannot be found in the database, as far as it is remembered, and has the other nodes do so.
   * @param since what was published after this moment, in milliseconds, may not have arrived
   * @param own whether that may also be so of what this node published
   */
  replay(since: number, own: boolean): void;
}

export interface RedisBrokerOptions {
  link: RedisLink;
  /** Applies an operation to this node's sockets. */
  deliver(operation: Operation): void;
  /** Whether a socket is connected to this node: nobody else needs to know what is for it. */
  hasSocket(id: string): boolean;
  onResync(since: number): void;
  onError(error: unknown): void;
}

export function createRedisBroker(options: RedisBrokerOptions): RedisBroker {
  const { link, deliver, onError } = options;
  const { nodeId } = link;
  const holders = new Map<string, number>();
  const pending = new Map<string, Promise<void>>();
  const seen = new Set<string>();
  const published = createReplay();
  const startedAt = Date.now();
  let serial = 0;
  /** From when on is to be published again; undefined when nobody asked. */
  let wanted: number | undefined;

  function channelsOf(operation: Operation): string[] {
    switch (operation.kind) {
      case 'event': {
        const { to } = operation;
        if ('users' in to) return to.users.map(userRoom);
        if ('group' in to) return [groupRoom(to.group)];
        if ('session' in to) return [sessionRoom(to.session)];
        return options.hasSocket(to.socket) ? [] : [to.socket];
      }
      case 'changes':
      case 'heal': {
        const { conversation } = operation;
        return conversation.kind === 'group' ? [groupRoom(conversation.group_id)] : conversation.user_ids.map(userRoom);
      }
      case 'membership':
        return [userRoom(operation.user_id)];
      case 'revoked':
        return operation.session_ids.map(sessionRoom);
    }
  }

  /** Its head names the operation, so that a copy is recognised without being read. */
  function send(channels: string[], content: Operation | Request): void {
    if (channels.length === 0) return;
    const text = `${nodeId}:${++serial} ${JSON.stringify(content)}`;
    link.publish(channels, text);
    if (content.kind !== 'replay' && content.kind !== 'resync')
      published.note(content, { at: Date.now(), channels, text });
  }

  /** Nodes that come back together ask together. */
  function replaySoon(since: number): void {
    if (wanted === undefined) setTimeout(replayNow, REPLAY_DELAY_MS).unref();
    wanted = Math.min(since, wanted ?? since);
  }

  function replayNow(): void {
    for (const { channels, text } of published.since(wanted!)) link.publish(channels, text);
    wanted = undefined;
  }

  link.onMessage((payload) => {
    const end = payload.indexOf(' ');
    const head = payload.slice(0, end);
    if (head.startsWith(`${nodeId}:`) || seen.has(head)) return;
    seen.add(head);
    if (seen.size > REMEMBERED) seen.delete(seen.values().next().value!);
    try {
      const content: Operation | Request = JSON.parse(payload.slice(end + 1));
      if (content.kind === 'resync') options.onResync(content.since);
      else if (content.kind === 'replay') replaySoon(content.since);
      else deliver(content);
    } catch (error) {
      onError(error);
    }
  });
  void link.subscribe([ALL]).catch(onError);

  return {
    publish(operation) {
      deliver(operation);
      send(channelsOf(operation), operation);
    },
    hold(rooms) {
      const added: string[] = [];
      for (const room of rooms) {
        const count = holders.get(room) ?? 0;
        holders.set(room, count + 1);
        if (count === 0) added.push(room);
      }
      if (added.length > 0) {
        const startedAt = Date.now();
        const subscribing = link
          .subscribe(added)
          // The connection is lost then: everything is subscribed when it is back, and compared with the database.
          .catch(() => {})
          .finally(() => {
            for (const room of added) if (pending.get(room) === subscribing) pending.delete(room);
            if (Date.now() - startedAt > SUBSCRIBE_PATIENCE_MS) options.onResync(startedAt);
          });
        for (const room of added) pending.set(room, subscribing);
      }
      const awaited = new Set(rooms.flatMap((room) => pending.get(room) ?? []));
      return awaited.size === 0 ? undefined : patiently(Promise.all(awaited));
    },
    release(rooms) {
      const gone: string[] = [];
      for (const room of rooms) {
        const count = holders.get(room) ?? 0;
        if (count > 1) holders.set(room, count - 1);
        else if (holders.delete(room)) gone.push(room);
      }
      link.unsubscribe(gone);
    },
    askResync: (since) => send([ALL], { kind: 'resync', since }),
    replay(since, own) {
      // What was told before this node was there concerns nobody here.
      const from = Math.max(since - REPLAY_MARGIN_MS, startedAt);
      send([ALL], { kind: 'replay', since: from });
      if (own) replaySoon(from);
    },
    close: () => link.close(),
  };
}

/** Waits for a subscription, but not for ever: when Redis does not answer, the connection is made all the same. */
async function patiently(subscribing: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, SUBSCRIBE_PATIENCE_MS);
  });
  await Promise.race([subscribing, patience]);
  clearTimeout(timer);
}
