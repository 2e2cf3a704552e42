/**
 * This node's heartbeat among the devices in Redis. Devices of a node that fell silent do not count, and another node
 * removes them. A node that was taken for dead (paused, cut off) is unknown at its next beat, and registers all its
 * devices again.
 */
import type { Logger } from 'pino';
import type { RedisLink } from '../bus/redis-link.ts';
import { buryNode, registerNode } from './node-devices.ts';
import type { OwnDevices } from './own-devices.ts';
import { BEAT, NODES, usersKey } from './redis-layout.ts';

export interface Heartbeat {
  /** Redis may lack something that this node told it: the next beat registers all devices again. */
  markStale(): void;
  stop(): void;
}

export interface HeartbeatOptions {
  link: RedisLink;
  own: OwnDevices;
  beatMs: number;
  /** After this long a silence a node is dead, in milliseconds. */
  silentMs: number;
  /** As in `DeviceRegistry`. */
  onVanished(userIds: string[] | undefined): void;
  log: Logger;
}

/** Starts to beat as soon as Redis is there. */
export function startHeartbeat({ link, own, beatMs, silentMs, onVanished, log }: HeartbeatOptions): Heartbeat {
  const { commands: redis, nodeId } = link;
  let isStale = true;
  let hasBeaten = false;
  let beating = false;

  async function beat(): Promise<void> {
    const [known, dead] = (await redis.eval(BEAT, 1, NODES, nodeId, silentMs)) as [number, string[]];
    const isFirst = !hasBeaten;
    hasBeaten = true;
    if (!known || isStale) {
      isStale = false;
      await registerNode(link, own);
      // Other nodes may have taken this node's users for gone meanwhile.
      const userIds = own.userIds();
      if (!isFirst && userIds.length > 0) onVanished(userIds);
      // Redis has forgotten everything, including nodes that died before and their users.
      if (!isFirst && !known) setTimeout(() => onVanished(undefined), silentMs).unref();
    }
    const longGone = own.longGone();
    if (longGone.length > 0) await redis.srem(usersKey(nodeId), ...longGone);
    own.forget(longGone);
    for (const other of dead) if (other !== nodeId) await bury(other);
  }

  async function bury(dead: string): Promise<void> {
    const userIds = await buryNode(link, dead);
    if (!userIds) return;
    log.warn({ node: dead, users: userIds.length }, 'a node died; its devices are removed');
    if (userIds.length > 0) onVanished(userIds);
  }

  const timer = setInterval(tick, beatMs);
  timer.unref();
  function tick(): void {
    if (beating || !link.isUp()) return;
    beating = true;
    beat()
      .catch((err: unknown) => {
        isStale = true;
        log.debug({ err }, 'a heartbeat failed');
      })
      .finally(() => {
        beating = false;
      });
  }
  void link.untilUp(beatMs).then(tick);

  return {
    markStale() {
      isStale = true;
    },
    stop: () => clearInterval(timer),
  };
}
