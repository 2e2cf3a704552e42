import { describe, expect, it } from 'vitest';
import type { EventOperation } from '../../server/bus/operations.ts';
import { createReplay } from '../../server/bus/replay.ts';

const operation = (event: EventOperation['event'], payload: object, of?: string) =>
  ({
    kind: 'event',
    to: { users: ['viewer'] },
    event,
    payload,
    ...(of ? { state: { of, version: 1 } } : {}),
  }) as unknown as EventOperation;

const marks = operation('message:status', { conversation_id: 'c', user_id: 'u' });
const profile = operation('user:updated', {}, 'user u');
const group = operation('group:updated', {}, 'group g');

describe('what is published again', () => {
  it('is what was published since a moment, in its order', () => {
    const replay = createReplay();
    replay.note(profile, { at: 1, channels: ['a'], text: 'profile' });
    replay.note(group, { at: 2, channels: ['a'], text: 'group' });
    replay.note(marks, { at: 3, channels: ['a'], text: 'marks' });
    expect(replay.since(2).map(({ text }) => text)).toEqual(['group', 'marks']);
  });

  it('is the last of those that tell the same, and each that says what happened', () => {
    const replay = createReplay();
    for (const at of [1, 2]) {
      for (const [name, told] of Object.entries({ profile, group, marks })) {
        replay.note(told, { at, channels: ['a'], text: `${name} ${at}` });
      }
    }
    expect(replay.since(0).map(({ text }) => text)).toEqual(['group 1', 'profile 2', 'group 2', 'marks 2']);
  });

  it('includes a ringing call, while it rings', () => {
    const replay = createReplay();
    const call = (status: string) => ({ call: { _id: 'call', status } });
    replay.note(operation('call:incoming', call('initiated'), 'call'), { at: 1, channels: ['a'], text: 'rings' });
    replay.note(operation('call:updated', call('ringing'), 'call'), { at: 2, channels: ['a'], text: 'ringing' });
    expect(replay.since(0).map(({ text }) => text)).toEqual(['rings', 'ringing']);
    replay.note(operation('call:updated', call('missed'), 'call'), { at: 3, channels: ['a'], text: 'missed' });
    expect(replay.since(0).map(({ text }) => text)).toEqual(['ringing', 'missed']);
  });

  it('is nothing that means nothing later, or that the database has', () => {
    const replay = createReplay();
    replay.note(operation('typing', {}), { at: 1, channels: ['a'], text: 'typing' });
    replay.note({ kind: 'membership', user_id: 'u', group_id: 'g', from_seq: 0 }, { at: 1, channels: ['a'], text: '' });
    expect(replay.since(0)).toEqual([]);
  });

  it('is bounded, in number and in size', () => {
    const replay = createReplay();
    for (let i = 0; i < 6000; i++) replay.note(group, { at: i, channels: ['a'], text: 'small' });
    expect(replay.since(0)).toHaveLength(5000);
    expect(replay.since(0)[0]?.at).toBe(1000);
    const text = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 40; i++) replay.note(group, { at: 10_000 + i, channels: ['a'], text });
    expect(replay.since(0)).toHaveLength(16);
  });
});
