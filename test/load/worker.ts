/** A process that makes a part of the load. The parent tells it what, and when to go and to stop. */
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { makeAccount } from './accounts.ts';
import { createActions } from './actions.ts';
import { checkRooms, settleRooms } from './check.ts';
import { createCommands } from './commands.ts';
import { inLanes } from './lanes.ts';
import { MIXES } from './mixes.ts';
import type { FromWorker, Share, ToWorker } from './process-messages.ts';
import { createRecorder } from './recorder.ts';
import { createRoom } from './room.ts';
import { arrivals, drawBy, drawFrom, seededRandom } from './schedule.ts';
import { addFinding, emptyVerdict } from './verdict.ts';

/** Accounts and rooms that are made at the same time. */
const ACCOUNTS_AT_ONCE = 8;
const ROOMS_AT_ONCE = 10;
/** How long a room's users may take to connect the first time. */
const CONNECT_MS = 60_000;
const SWEEP_MS = 50;
const SECOND_MS = 1000;

const recorder = createRecorder();
const verdict = emptyVerdict();
const over = new AbortController();
// Each call under way listens.
setMaxListeners(0, over.signal);

function tell(message: FromWorker): void {
  process.send!(message);
}

async function prepare(share: Share) {
  const commands = createCommands(recorder, share.inFlight, share.timeoutMs);
  setInterval(() => commands.sweep(), SWEEP_MS).unref();
  const mix = MIXES[share.mix];
  const maker = { ...share, onNotice: (text: string) => tell({ kind: 'notice', text }) };
  const names = share.rooms.flatMap((size, room) => Array.from({ length: size }, (_, i) => `${room}.${i}`));
  const accounts = await inLanes(names, ACCOUNTS_AT_ONCE, async (name) => {
    const account = await makeAccount(maker, `${share.prefix}${name}`);
    tell({ kind: 'prepared', what: 'accounts', count: 1 });
    return account;
  });
  // What people do after something arrived must not change what is planned.
  const random = seededRandom(share.seed + 1);
  const parts = share.rooms.map((size) => accounts.splice(0, size));
  const rooms = await inLanes(parts, ROOMS_AT_ONCE, async (members, index) => {
    const room = createRoom({
      ...share,
      accounts: members,
      prefix: `${share.prefix}${index}:`,
      reads: mix.reads,
      random,
      recorder,
      commands,
      find: (fault, words) => addFinding(verdict, fault, words),
      isOver: () => over.signal.aborted,
    });
    await Promise.race([room.ready, pause(CONNECT_MS, undefined, { ref: false }).then(refused)]);
    await room.open();
    tell({ kind: 'prepared', what: 'connections', count: members.length });
    return room;
  });
  return { share, commands, rooms };
}

function refused(): never {
  const codes = Object.keys(recorder.take().errors.connection ?? {});
  throw new Error(`users cannot connect: ${codes.join(', ') || 'no answer'}`);
}

/** Begins each action at its time, whatever became of the earlier ones. Resolves when the time is over. */
async function act({ share, commands, rooms }: Awaited<ReturnType<typeof prepare>>): Promise<void> {
  const { signal } = over;
  const mix = MIXES[share.mix];
  const random = seededRandom(share.seed);
  const draw = drawBy(mix.shares, random);
  const actions = createActions({ commands, recorder, signal, rooms });
  const everybody = rooms.flatMap((room) => room.users.map((user) => ({ room, user })));
  const startedAt = performance.now();
  const running = new Set<Promise<unknown>>();
  const until = (at: number) => pause(Math.max(1, at - performance.now()), undefined, { signal }).catch(() => {});

  if (mix.cutAt !== undefined) {
    const cutAt = startedAt + mix.cutAt * share.seconds * 1000;
    void until(cutAt).then(() => {
      if (!signal.aborted) for (const { user } of everybody) user.reconnect(cutAt);
    });
  }
  for (const at of arrivals(share.rate, share.seconds, random)) {
    const plannedAt = startedAt + at;
    while (performance.now() < plannedAt && !signal.aborted) await until(plannedAt);
    if (signal.aborted) break;
    recorder.begun(plannedAt);
    const { room, user } = drawFrom(everybody, random);
    const action = actions[draw()](room, user, plannedAt);
    running.add(action);
    void action.then(() => running.delete(action));
  }
  await until(startedAt + share.seconds * 1000);
  over.abort();
  await Promise.all(running);
  while (commands.underWay() > 0) await pause(SWEEP_MS);
}

async function run(prepared: Awaited<ReturnType<typeof prepare>>): Promise<void> {
  recorder.take();
  let index = 0;
  const report = () => tell({ kind: 'second', index: index++, second: recorder.take() });
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const reporting = setInterval(report, SECOND_MS);
  await act(prepared);
  const loadedMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  tell({ kind: 'checking' });
  // What arrives after the last answer arrives late, and belongs to the figures.
  await settleRooms(prepared.rooms, prepared.share.timeoutMs);
  clearInterval(reporting);
  report();
  await checkRooms(prepared.rooms, verdict);
  const done: FromWorker = { kind: 'done', verdict, loadedMs, cpuMs: (user + system) / 1000 };
  process.send!(done, () => process.exit());
}

function fail(error: unknown): void {
  const failed: FromWorker = { kind: 'failed', message: (error as Error).message };
  process.send!(failed, () => process.exit(1));
}

let prepared: ReturnType<typeof prepare> | undefined;

process.on('message', (message: ToWorker) => {
  if (message.kind === 'prepare') {
    prepared = prepare(message.share);
    prepared.then(() => tell({ kind: 'ready' }), fail);
  } else if (message.kind === 'go') prepared!.then(run).catch(fail);
  else over.abort();
});
// Ctrl-C reaches all processes of a terminal: the parent says what to do then.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(1));
