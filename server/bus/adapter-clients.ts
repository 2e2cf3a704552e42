/**
 * The Redis clients of the Socket.IO adapter: the part of ioredis that it calls. The adapter looks after none of its
 * publications and subscriptions, so here no publication rejects, and subscriptions survive reconnections.
 */
import type { Cluster } from 'ioredis';
import type { Logger } from 'pino';
import type { RedisClient } from './redis-clients.ts';

/** How long to wait before subscribing again after Redis refused, in milliseconds. */
const RETRY_MS = 500;

type Listener = (...args: unknown[]) => void;

/** What cannot be published is lost, and logged at level debug. */
export function createAdapterPublisher(client: RedisClient, log: Logger) {
  const publishing = (work: Promise<unknown>) =>
    work.catch((err: unknown) => log.debug({ err }, 'the adapter could not publish'));
  return {
    publish: (channel: string, content: string | Buffer) => publishing(client.publish(channel, content)),
    spublish: (channel: string, content: string | Buffer) => publishing(client.spublish(channel, content)),
    /** For `PUBSUB`, on a single Redis. */
    send_command: (name: string, args: string[], callback: (error: Error | null, result: unknown) => void) =>
      void client.call(name, ...args).then(
        (result) => callback(null, result),
        (error: Error) => callback(error, undefined),
      ),
    isCluster: client.isCluster,
    /** For `PUBSUB`, on a cluster. */
    nodes: () => (client as Cluster).nodes(),
    on: (event: string, listener: Listener) => client.on(event, listener),
    off: (event: string, listener: Listener) => client.off(event, listener),
  };
}

/** On each connection, subscribes to everything that was asked for so far. */
export function createAdapterSubscriber(client: RedisClient, log: Logger) {
  const commands = {
    subscribe: (channel: string) => client.subscribe(channel),
    psubscribe: (pattern: string) => client.psubscribe(pattern),
    ssubscribe: (channel: string) => client.ssubscribe(channel),
  };
  const held: [kind: keyof typeof commands, channel: string][] = [];

  function issue(kind: keyof typeof commands, channel: string): void {
    if (client.status !== 'ready') return;
    commands[kind](channel).catch((err: unknown) => {
      log.debug({ err }, 'the adapter could not subscribe');
      setTimeout(issue, RETRY_MS, kind, channel).unref();
    });
  }

  const hold = (kind: keyof typeof commands) => (channels: string | string[]) => {
    for (const channel of [channels].flat()) {
      held.push([kind, channel]);
      issue(kind, channel);
    }
  };
  client.on('ready', () => {
    for (const [kind, channel] of held) issue(kind, channel);
  });

  /** The adapter unsubscribes when the server ends; so does the connection. */
  const untilTheEnd = () => {};
  return {
    subscribe: hold('subscribe'),
    psubscribe: hold('psubscribe'),
    ssubscribe: hold('ssubscribe'),
    unsubscribe: untilTheEnd,
    punsubscribe: untilTheEnd,
    sunsubscribe: untilTheEnd,
    on: (event: string, listener: Listener) => client.on(event, listener),
    off: (event: string, listener: Listener) => client.off(event, listener),
  };
}
