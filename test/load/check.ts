/** After the load: compares what was acknowledged with what everybody has. */
import { setTimeout as pause } from 'node:timers/promises';
import { inLanes } from './lanes.ts';
import type { Room } from './room.ts';
import type { User } from './user.ts';
import type { WorkerVerdict } from './verdict.ts';

/** Until what was acknowledged is told to everybody who is connected, before it counts as passed over. */
const SETTLE_MS = 5000;
const LOOK_MS = 50;
const USERS_AT_ONCE = 10;

/**
 * Waits until everybody is told what was acknowledged, within bounds.
 * @param timeoutMs how long users may take who are not connected at that moment
 */
export async function settleRooms(rooms: Room[], timeoutMs: number): Promise<void> {
  const users = rooms.flatMap((room) => room.users);
  await holds(() => users.every((user) => user.isBack()), timeoutMs);
  await holds(() => rooms.every((room) => room.behind().length === 0), SETTLE_MS);
}

/** Asks everybody what they have, and judges. @param verdict where the findings go */
export async function checkRooms(rooms: Room[], verdict: WorkerVerdict): Promise<void> {
  const users = rooms.flatMap((room) => room.users);
  const checked = new Set<User>();
  await inLanes(users, USERS_AT_ONCE, async (user) => {
    if (user.isBack() && (await user.synchronise())) checked.add(user);
  });
  verdict.unchecked = users.length - checked.size;
  for (const room of rooms) {
    room.judge(checked);
    const { sent, acknowledged } = room.ledger.counts();
    verdict.sent += sent;
    verdict.acknowledged += acknowledged;
  }
  for (const user of users) user.close();
}

async function holds(condition: () => boolean, ms: number): Promise<void> {
  for (const deadline = performance.now() + ms; !condition() && performance.now() < deadline; ) await pause(LOOK_MS);
}
