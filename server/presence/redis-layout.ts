/**
 * How Redis holds the devices of all nodes. Each user has a hash of devices with their node and status. Whether these
 * are alive is told by their node's heartbeat in a sorted set, so that a beat costs the same however many devices a node
 * has. Each node also has a set of its users, for whoever cleans up after it. All times are those of Redis.
 */
import type { Status } from './status.ts';

const PREFIX = 'letsapp:presence:';

/** The sorted set of nodes by the time of their last heartbeat. */
export const NODES = `${PREFIX}nodes`;
/** The hash of a user's devices. */
export const devicesKey = (userId: string) => `${PREFIX}user:${userId}`;
/** The set of a node's users. */
export const usersKey = (nodeId: string) => `${PREFIX}node:${nodeId}`;

/** A device in its user's hash. */
export interface StoredDevice {
  nodeId: string;
  status: Status;
  /** Empty where a node of an earlier version wrote it. */
  sessionId: string;
}

export const encodeDevice = ({ nodeId, status, sessionId }: StoredDevice) => `${nodeId} ${status} ${sessionId}`;

export function decodeDevice(value: string): StoredDevice {
  const [nodeId = '', status = 'offline', sessionId = ''] = value.split(' ');
  return { nodeId, status: status as Status, sessionId };
}

const NOW = `local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000)`;
/**
 * A heartbeat. KEYS: `NODES`; ARGV: the node, and after how many milliseconds of silence a node is dead. A heartbeat in
 * the future is from before the clock of Redis was set back: that node is silent from now on.
 * Returns whether this node was known (1 or 0), and the dead nodes.
 */
export const BEAT = `${NOW}
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')) do
  redis.call('ZADD', KEYS[1], now, node)
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
return { known and 1 or 0, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2]) }`;
/** KEYS: `NODES`; ARGV: after how many milliseconds of silence a node is dead. Returns the nodes that are alive. */
export const LIVING = `${NOW}
return redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf')`;
