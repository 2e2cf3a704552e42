import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { expect, it } from 'vitest';
import { MAX_EMOJIS, withoutReaction, withReaction } from '../../server/messages/reactions.ts';
import type { Reaction } from '../../server/model/documents/messages.ts';

const users = Array.from({ length: 3 }, () => new ObjectId());
const [ann, bob] = users as [ObjectId, ObjectId, ObjectId];

it('a first reaction adds an entry, another user’s joins it, the last one removed removes it', () => {
  const first = withReaction([], '👍', ann)!;
  const both = withReaction(first, '👍', bob)!;
  expect(both).toEqual([{ emoji: '👍', user_ids: [ann, bob] }]);
  const bobs = withoutReaction(both, '👍', ann)!;
  expect(bobs).toEqual([{ emoji: '👍', user_ids: [bob] }]);
  expect(withoutReaction(bobs, '👍', bob)).toEqual([]);
  expect(first).toEqual([{ emoji: '👍', user_ids: [ann] }]);
});

it('a message carries a limited number of different emojis, each by any number of users', () => {
  const full = Array.from({ length: MAX_EMOJIS }, (_, i) => ({ emoji: `${i}`, user_ids: [ann] }));
  expect(() => withReaction(full, 'one more', bob)).toThrow(expect.objectContaining({ code: 'conflict' }));
  expect(withReaction(full, '0', bob)![0]).toEqual({ emoji: '0', user_ids: [ann, bob] });
});

it('an emoji is the same with and without a variation selector, and stays as it was first written', () => {
  const first = withReaction([], '❤️', ann)!;
  const both = withReaction(first, '❤', bob)!;
  expect(both).toEqual([{ emoji: '❤️', user_ids: [ann, bob] }]);
  expect(withReaction(both, '❤\ufe0e', ann)).toBeUndefined();
  expect(withoutReaction(both, '❤', ann)).toEqual([{ emoji: '❤️', user_ids: [bob] }]);
});

it('emojis that an earlier version kept apart are removed together', () => {
  const apart = [
    { emoji: '❤️', user_ids: [ann, bob] },
    { emoji: '❤', user_ids: [ann] },
  ];
  expect(withReaction(apart, '❤', ann)).toBeUndefined();
  expect(withoutReaction(apart, '❤', ann)).toEqual([{ emoji: '❤️', user_ids: [bob] }]);
  expect(withoutReaction([apart[1]!], '❤️', bob)).toBeUndefined();
});

it('any sequence ends in what was added last and not removed, in the order of reacting', () => {
  const step = fc.record({ user: fc.constantFrom(...users), emoji: fc.constantFrom('👍', '🎉'), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let reactions: Reaction[] = [];
      /** Keys of a Map stay in the order in which they came. */
      const model = new Map<string, Map<string, ObjectId>>();
      for (const { user, emoji, remove } of steps) {
        const id = user.toHexString();
        const reacted = model.get(emoji) ?? new Map<string, ObjectId>();
        const changed = (remove ? withoutReaction : withReaction)(reactions, emoji, user);
        expect(changed === undefined).toBe(reacted.has(id) !== remove);
        reactions = changed ?? reactions;
        if (remove) reacted.delete(id);
        else reacted.set(id, user);
        if (reacted.size === 0) model.delete(emoji);
        else model.set(emoji, reacted);
      }
      expect(reactions).toEqual([...model].map(([emoji, reacted]) => ({ emoji, user_ids: [...reacted.values()] })));
    }),
  );
});
