/**
 * The Socket.IO adapter of a node among others: what is emitted without `local` reaches the sockets of every node, and
 * so do the ecosystem's tools. Ephemeral events go this way, everything else goes by the bus (docs/decisions/nodes.md).
 */
import { createShardedAdapter, RedisAdapter } from '@socket.io/redis-adapter';
import type { Logger } from 'pino';
import type { Namespace } from 'socket.io';
import { type BroadcastOptions, MessageType } from 'socket.io-adapter';
import { createAdapterPublisher, createAdapterSubscriber } from './adapter-clients.ts';
import type { RedisClient } from './redis-clients.ts';
import type { RedisLink } from './redis-link.ts';

/** The first version of Redis with sharded Pub/Sub. */
const SHARDED_SINCE = 7;

type ShardedAdapter = ReturnType<ReturnType<typeof createShardedAdapter>>;

/**
 * The classic adapter, which hears emitters and answers requests, with a sharded one beside it once Redis can do that.
 * Then broadcasts to other nodes leave by the sharded one; both put what they hear into the same rooms.
 */
class NodeAdapter extends RedisAdapter {
  #sharded: ShardedAdapter | undefined;

  /** From now on, broadcasts go to other nodes by sharded Pub/Sub. */
  shard(): void {
    const { rooms, sids } = this;
    const sharded = createShardedAdapter(this.pubClient, this.subClient, { subscriptionMode: 'static' })(this.nsp);
    this.#sharded = Object.assign(sharded, { rooms, sids });
  }

  /** Serves this node's sockets at once, whatever Redis does. */
  override broadcast(packet: object, options: BroadcastOptions): void {
    if (!this.#sharded || options.flags?.local) {
      super.broadcast(packet, options);
      return;
    }
    const { rooms, except = [], flags = {} } = options;
    super.broadcast(packet, { ...options, flags: { ...flags, local: true } });
    // Its own `broadcast` would wait until Redis has answered before it serves this node's sockets.
    // biome-ignore lint/complexity/useLiteralKeys: the method is protected
    this.#sharded['publish']({
      type: MessageType.BROADCAST,
      data: { packet, opts: { rooms: [...rooms], except: [...except], flags } },
    });
  }
}

/**
 * Creates the adapters of a server's namespaces, for the option `adapter` of Socket.IO. They have connections of their
 * own, so whatever goes wrong with them leaves the bus alone.
 */
export function createAdapter(link: RedisLink, log: Logger): (nsp: Namespace) => RedisAdapter {
  const client = link.connect();
  const publisher = createAdapterPublisher(client, log);
  const subscriber = createAdapterSubscriber(link.connect(), log);
  const sharded = untilSharded(client, log);
  // Called by Socket.IO with `new`.
  return function create(nsp) {
    const adapter = new NodeAdapter(nsp, publisher, subscriber);
    void sharded.then(() => adapter.shard());
    return adapter;
  };
}

/** Resolves once Redis is found to have sharded Pub/Sub: it is asked at each connection, as a newer one may replace it. */
function untilSharded(client: RedisClient, log: Logger): Promise<void> {
  return new Promise((resolve) => {
    client.on('ready', () => {
      client.info('server').then(
        (info) => {
          if (versionOf(info) >= SHARDED_SINCE) resolve();
        },
        (err: unknown) => log.debug({ err }, 'redis does not tell its version'),
      );
    });
  });
}

/** The major version in an answer to INFO; 0 where it has none. */
function versionOf(info: string): number {
  return Number(/^redis_version:(\d+)/m.exec(info)?.[1] ?? 0);
}
