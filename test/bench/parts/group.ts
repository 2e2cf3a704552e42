/** A message to many. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import { inTurns } from '../bench.ts';
import { connectMany, disconnect } from '../devices.ts';
import { createGroup } from '../groups.ts';
import { compared, median } from '../measurement.ts';
import type { Part } from '../part.ts';

const MEMBERS = 1000;
const MESSAGES = 20;

export const group: Part = {
  about: 'One message at a time to a group whose 1,000 members are all connected, until each has it',
  rows: {
    recipient: {
      what: 'group of 1,000: time per recipient, against a bare room broadcast',
      unit: 'µs',
      target: { of: 'ratio', atMost: 1.3 },
    },
  },
  async run(bench) {
    const [app, relay] = [await bench.app(), await bench.relay()];
    await app.populate(MEMBERS);
    const group_id = await createGroup(app, MEMBERS);
    const [bare, ours] = [await connectMany(relay, 0, MEMBERS), await connectMany(app, 0, MEMBERS)];
    const rounds = await inTurns(
      () => timePerRecipient(bare, 'group'),
      () => timePerRecipient(ours, group_id),
    );
    disconnect([...bare, ...ours]);
    return { measurements: { recipient: compared(rounds.map(([against, measured]) => ({ against, measured }))) } };
  },
};

/** @returns microseconds per recipient, the median of the messages */
async function timePerRecipient([sender, ...others]: Socket[], group_id: string): Promise<number> {
  let received = 0;
  let all: () => void = () => {};
  const count = () => {
    received++;
    if (received === others.length) all();
  };
  for (const socket of others) socket.on('message:new', count);
  const times: number[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    received = 0;
    const everybody = new Promise<void>((resolve) => {
      all = resolve;
    });
    const startedAt = performance.now();
    sender!.emit('message:send', { group_id, content: 'to all of the group' }, () => {});
    await everybody;
    times.push(((performance.now() - startedAt) * 1000) / others.length);
    await sleep(5);
  }
  for (const socket of others) socket.off('message:new', count);
  return median(times);
}
