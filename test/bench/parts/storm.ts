/** One storm: what every member of a group does at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawDevice } from '../raw-device.ts';
import type { Side } from '../sides.ts';

export const KINDS = ['delivered', 'read', 'react'] as const;
export type Kind = (typeof KINDS)[number];

const ARRIVAL_MS = 30_000;
const ANSWER_MS = 20_000;

export interface Storm {
  ms: number;
  refused: Map<string, number>;
  /** Milliseconds until a send was acknowledged: in the group after the storm, between two others during it. */
  after: number;
  beside: number;
}

/** User 0 writes to the group. @returns the message, once everybody has it */
export async function announce(devices: RawDevice[], group_id: string, size: number) {
  const members = devices.slice(1, size);
  const had = members.map((member) => member.received('message:new'));
  const packet = await new Promise<string>((resolve, reject) => {
    devices[0]!.request('message:send', { group_id, content: 'to all of the group' }, (ok, answer) =>
      ok ? resolve(answer) : reject(new Error(`not sent: ${answer}`)),
    );
  });
  const [{ data }] = JSON.parse(packet.slice(packet.indexOf('[')));
  const haveAll = () => members.every((member, i) => member.received('message:new') > had[i]!);
  if (!(await until(ARRIVAL_MS, haveAll))) throw new Error('the message did not reach everybody');
  return { message_id: data.message._id ?? '', seq: data.message.seq ?? 1 };
}

export interface Weather {
  kind: Kind;
  size: number;
  group_id: string;
  message_id: string;
  seq: number;
}

export async function storm(
  side: Side,
  devices: RawDevice[],
  { kind, size, group_id, message_id, seq }: Weather,
): Promise<Storm> {
  const refused = new Map<string, number>();
  let answers = 0;
  const payload = kind === 'react' ? { message_id, emoji: '👍' } : { group_id, up_to_seq: seq };
  const startedAt = performance.now();
  let ms = 0;
  for (const member of devices.slice(1, size)) {
    member.request(`message:${kind}`, payload, (ok, packet) => {
      answers++;
      ms = performance.now() - startedAt;
      if (ok) return;
      const code = /"code":"(\w+)"/.exec(packet)?.[1] ?? 'closed';
      refused.set(code, (refused.get(code) ?? 0) + 1);
    });
  }
  const outsiders = timed(devices[size]!, { recipient_id: side.id(size + 1), content: 'meanwhile' });
  await until(ANSWER_MS, () => answers === size - 1);
  if (answers < size - 1) {
    refused.set('unanswered', size - 1 - answers);
    ms = ANSWER_MS;
  }
  const after = await timed(devices[0]!, { group_id, content: 'right after' });
  const beside = await outsiders;
  // What is left of it belongs to no other.
  await sleep(500);
  return { ms, refused, after, beside };
}

/** @returns milliseconds until a send is answered, at most so many as one may take */
async function timed(device: RawDevice, payload: object): Promise<number> {
  const startedAt = performance.now();
  const answered = new Promise<number>((resolve) => {
    device.request('message:send', payload, () => resolve(performance.now() - startedAt));
  });
  return Promise.race([answered, sleep(ANSWER_MS, ANSWER_MS)]);
}

/** @returns whether it became so in the time */
async function until(ms: number, isSo: () => boolean): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (!isSo() && Date.now() < deadline) await sleep(5);
  return isSo();
}
