import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventOperation } from '../../server/bus/operations.ts';
import { createStates } from '../../server/delivery/states.ts';

const event = (name: 'user:updated' | 'group:updated', payload: object, version?: number, users = ['viewer']) =>
  ({
    kind: 'event',
    event: name,
    to: { users },
    payload,
    ...(version === undefined ? {} : { state: { of: 'it', version } }),
  }) as unknown as EventOperation;

const versions = fc.shuffledSubarray(
  Array.from({ length: 12 }, (_, i) => i),
  { minLength: 1 },
);

describe('events that tell how something is', () => {
  it('never go back and end with the newest state, in whatever order the states arrive', () => {
    fc.assert(
      fc.property(versions, (arriving) => {
        const current = createStates();
        const told = arriving.flatMap((version) => current(event('user:updated', { version }, version)) ?? []);
        const seen = told.map((payload) => (payload as unknown as { version: number }).version);
        expect(seen).toEqual([...seen].sort((one, other) => one - other));
        expect(seen.at(-1)).toBe(Math.max(...arriving));
      }),
    );
  });

  it('leave out nothing that happened, and tell it with the newest document', () => {
    fc.assert(
      fc.property(versions, (arriving) => {
        const current = createStates();
        const told = arriving.map((version) =>
          current(event('group:updated', { reason: version, group: { version, members: ['viewer'] } }, version)),
        ) as unknown as { reason: number; group: { version: number } }[];
        expect(told.map(({ reason }) => reason)).toEqual(arriving);
        for (const [i, { group }] of told.entries()) expect(group.version).toBe(Math.max(...arriving.slice(0, i + 1)));
      }),
    );
  });

  it('show nobody who was taken out of a group what came after', () => {
    const current = createStates();
    current(event('group:updated', { group: { name: 'after', members: ['viewer'] } }, 2));
    const removal = event('group:updated', { group: { name: 'before', members: ['viewer'] } }, 1, ['removed']);
    expect(current(removal)).toEqual(removal.payload);
  });

  it('ring for no call that is over, or that another device has answered', () => {
    const current = createStates();
    const told = (name: string, call: object, version: number) =>
      current({ ...event('user:updated', { call }, version), event: name } as EventOperation);
    expect(told('call:incoming', { status: 'initiated' }, 1)).toBeDefined();
    for (const status of ['ongoing', 'ended', 'missed', 'rejected']) {
      told('call:updated', { status }, 2);
      expect(told('call:incoming', { status: 'initiated' }, 1)).toBeUndefined();
    }
    told('call:updated', { status: 'ongoing', group_id: 'group' }, 3);
    expect(told('call:incoming', { status: 'initiated' }, 1)).toBeDefined();
  });

  it('go to different people with the same version, and always out where they have none', () => {
    const current = createStates();
    expect(current(event('user:updated', { user: 1 }, 5))).toBeDefined();
    expect(current(event('user:updated', { user: 1 }, 5, ['other']))).toBeDefined();
    expect(current(event('user:updated', { user: 0 }))).toBeDefined();
  });
});
