/**
 * Carries operations over Redis to the nodes that have a recipient. Each room has a channel, and a node is subscribed
 * to the rooms in which it has connections, so it works only for what concerns it. Its own sockets are served at once,
 * with or without Redis.
 */
import { tracing } from '../lib/tracing.ts';
import type { Broker } from './bus.ts';
import { channelsOf, EVERYBODY } from './channels.ts';
import { createEnvelopes } from './envelopes.ts';
import { type EventOperation, isEphemeral, type Operation } from './operations.ts';
import type { RedisLink } from './redis-link.ts';
import { createReplay } from './replay.ts';

/** How long requests to publish again are gathered, in milliseconds: nodes that come back together ask together. */
const REPLAY_DELAY_MS = 200;
/** More than nodes' clocks differ, in milliseconds; a node that has an event already passes over its copy. */
const REPLAY_MARGIN_MS = 5000;

/** What nodes ask each other. */
type Request =
  /** Compare with the database what was stored after `since`: it may not have been told. */
  | { kind: 'resync'; since: number }
  /** Publish again what was published after `since`: it may not have arrived. */
  | { kind: 'replay'; since: number };

/** Where its trace goes on. Nodes that do not trace leave it out when they publish, and ignore it. */
type Traced = { trace?: unknown };

export interface RedisBroker extends Broker {
  /** Asks the other nodes to compare with the database what was stored after a moment, in milliseconds. */
  askResync(since: number): void;
  /**
   * Publishes again what the database does not have, as far as it is remembered, and asks the other nodes to do so.
   * @param since what was published after this moment, in milliseconds, may not have arrived
   * @param own whether that includes what this node published
   */
  replay(since: number, own: boolean): void;
}

export interface RedisBrokerOptions {
  link: RedisLink;
  /** Applies an operation to this node's sockets. */
  deliver(operation: Operation): void;
  /** Takes an ephemeral event to the sockets of all nodes, this one's first. */
  relay(operation: EventOperation): void;
  /** Another node asks to compare with the database what was stored after a moment, in milliseconds. */
  onResync(since: number): void;
  onError(error: unknown): void;
}

export function createRedisBroker({ link, deliver, relay, onResync, onError }: RedisBrokerOptions): RedisBroker {
  const envelopes = createEnvelopes<(Operation & Traced) | Request>(link.nodeId);
  const published = createReplay();
  const startedAt = link.clock().getTime();
  /** The moment from which to publish again; undefined when nobody asks. */
  let wanted: number | undefined;

  function publish(operation: Operation): void {
    const channels = channelsOf(operation);
    if (channels.length === 0) return;
    const trace = tracing?.publication(operation.kind);
    const text = envelopes.wrap(trace === undefined ? operation : { ...operation, trace });
    link.publish(channels, text);
    published.note(operation, { at: link.clock().getTime(), channels, text });
  }

  const ask = (request: Request) => link.publish([EVERYBODY], envelopes.wrap(request));

  function replayNow(): void {
    for (const { channels, text } of published.since(wanted!)) link.publish(channels, text);
    wanted = undefined;
  }

  function replaySoon(since: number): void {
    if (wanted === undefined) setTimeout(replayNow, REPLAY_DELAY_MS).unref();
    wanted = Math.min(since, wanted ?? since);
  }

  link.onMessage((text) => {
    try {
      const content = envelopes.open(text);
      if (content?.kind === 'resync') onResync(content.since);
      else if (content?.kind === 'replay') replaySoon(content.since);
      else if (content && tracing) tracing.reception(content.trace, () => deliver(content));
      else if (content) deliver(content);
    } catch (error) {
      onError(error);
    }
  });
  void link.subscribe([EVERYBODY]).catch(onError);

  return {
    publish(operation) {
      if (isEphemeral(operation)) {
        relay(operation);
        return;
      }
      deliver(operation);
      publish(operation);
    },
    askResync: (since) => ask({ kind: 'resync', since }),
    replay(since, own) {
      // Nobody here missed what was published before this node was there.
      const from = Math.max(since - REPLAY_MARGIN_MS, startedAt);
      ask({ kind: 'replay', since: from });
      if (own) replaySoon(from);
    },
    close: link.close,
  };
}
