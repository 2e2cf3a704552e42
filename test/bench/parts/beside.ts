/** This build beside another one, in turns: what a change costs those who do not use it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Socket } from 'socket.io-client';
import { inTurns } from '../bench.ts';
import { connectDevice, disconnect } from '../devices.ts';
import { type Loop, livesOf, PAIRS, sendsOf } from '../lives.ts';
import { listTime, syncAll, writeTo } from '../many-conversations.ts';
import { compared, type Measurement, type Row } from '../measurement.ts';
import type { Part } from '../part.ts';
import { type LetsApp, startLetsApp } from '../sides.ts';

const CONVERSATIONS = 200;
const LISTS = 100;
const SYNCS = 10;
const row = (what: string): Row => ({
  what,
  unit: '/s',
  against: 'the other build',
  target: { of: 'ratio', atLeast: 0.95 },
});

export const beside: Part = {
  about: 'This build beside that of the checkout in BESIDE, which was built there',
  isLong: true,
  rows: {
    lives: row(`whole lives per second of ${PAIRS} pairs`),
    sends: row(`sends per second of ${PAIRS} pairs, one under way in each`),
    lists: row(`pages of \`conversation:list\` per second, ${CONVERSATIONS} conversations`),
    syncs: row(`whole \`sync\` per second, 3 messages each in ${CONVERSATIONS} conversations`),
  },
  async run(bench) {
    const root = process.env.BESIDE ?? '';
    if (!existsSync(path.join(root, 'dist/server/main.js'))) throw new Error('BESIDE names no checkout that was built');
    const [other, own] = [bench.own(await startLetsApp({ root: path.resolve(root) })), bench.own(await startLetsApp())];
    const measure = async (perSecond: (app: LetsApp) => Promise<number>): Promise<Measurement> => {
      const rounds = await inTurns(
        () => perSecond(other),
        () => perSecond(own),
      );
      return compared(rounds.map(([against, measured]) => ({ against, measured })));
    };
    const rateOf = (loop: Loop) => async (app: LetsApp) => (await loop(app)).perSecond;
    const asking = (ask: (reader: Socket) => Promise<number>) => async (app: LetsApp) => {
      const reader = await connectDevice(app, 0);
      const ms = await ask(reader);
      disconnect([reader]);
      return 1000 / ms;
    };

    const since = new Date(Date.now() - 60_000).toISOString();
    for (const app of [other, own]) await app.populate(CONVERSATIONS + 2);
    const [lives, sends] = [await measure(rateOf(livesOf)), await measure(rateOf(sendsOf))];
    for (const app of [other, own]) await writeTo(app, 0, CONVERSATIONS, 3);
    return {
      measurements: {
        lives,
        sends,
        lists: await measure(asking((reader) => listTime(reader, LISTS))),
        syncs: await measure(asking((reader) => syncTime(reader, since))),
      },
    };
  },
};

/** @returns milliseconds of one whole `sync`, the mean of several */
async function syncTime(reader: Socket, since: string): Promise<number> {
  let sum = 0;
  for (let i = 0; i < SYNCS; i++) sum += (await syncAll(reader, since)).ms;
  return sum / SYNCS;
}
