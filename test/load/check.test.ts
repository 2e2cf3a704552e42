import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createActions } from './actions.ts';
import { checkRooms, settleRooms } from './check.ts';
import { createCommands } from './commands.ts';
import { type Lie, startLyingServer } from './lying-server.ts';
import { createRecorder } from './recorder.ts';
import { createRoom } from './room.ts';
import { seededRandom } from './schedule.ts';
import { addFinding, emptyVerdict } from './verdict.ts';

/** Two users write 22 messages in turn over a server that lies about four of them. */
async function verdictOver(lie: Lie, reconnects = false) {
  const server = await startLyingServer(lie);
  const verdict = emptyVerdict();
  const recorder = createRecorder();
  const commands = createCommands(recorder, 100, 5000);
  const { signal } = new AbortController();
  const account = (name: string) => ({ user_id: name, access_token: name, refresh_token: '', expires_in: 900 });
  const room = createRoom({
    url: server.url,
    timeoutMs: 5000,
    accounts: [account('a'), account('b')],
    prefix: 'lies:',
    reads: 100,
    random: seededRandom(1),
    recorder,
    commands,
    find: (fault, words) => addFinding(verdict, fault, words),
    isOver: () => false,
  });
  await room.ready;
  const { send } = createActions({ commands, recorder, signal, rooms: [room] });
  for (let i = 0; i < 22; i++) {
    await send(room, room.users[i % 2]!, performance.now());
    if (reconnects && i % 4 === 0) {
      for (const user of room.users) user.reconnect(performance.now());
      while (!room.users.every((user) => user.isBack())) await pause(5);
    }
  }
  await settleRooms([room], 5000);
  await checkRooms([room], verdict);
  await server.close();
  return verdict;
}

it.concurrent.each<[Lie, object]>([
  ['none', { lost: 0, doubled: 0, outOfOrder: 0, unchecked: 0, sent: 22, acknowledged: 22, findings: [] }],
  ['loses it', { lost: 4, doubled: 0, outOfOrder: 4 }],
  ['does not tell it', { lost: 0, doubled: 0, outOfOrder: 4 }],
  ['tells it late', { lost: 0, doubled: 0, outOfOrder: 4 }],
])('a server that lies is found out: %s', async (lie, found) => {
  expect(await verdictOver(lie)).toMatchObject(found);
});

it.concurrent.each<Lie>(['stores it twice', 'tells it twice'])('a server that lies is found out: %s', async (lie) => {
  const { lost, doubled } = await verdictOver(lie);
  expect(lost).toBe(0);
  expect(doubled).toBeGreaterThanOrEqual(4);
});

it.concurrent('connections that are cut and come back are no faults', async () => {
  expect(await verdictOver('none', true)).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, acknowledged: 22 });
});

it.concurrent('what a connection passed over is found after it has ended, too', async () => {
  const { lost, outOfOrder } = await verdictOver('loses it', true);
  expect(lost).toBe(4);
  expect(outOfOrder).toBeGreaterThan(0);
});
