import fc from 'fast-check';
import { type Collection, MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Amendment, planAmendments, updateOf } from '../../server/messages/amendment.ts';
import { withoutReaction, withReaction } from '../../server/messages/reactions.ts';
import { pairRef } from '../../server/model/conversation-ref.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';
import { startDatabase } from '../support/database.ts';

const users = Array.from({ length: 5 }, () => new ObjectId());
const [ann, bob] = users as [ObjectId, ObjectId];
const conversation = pairRef(ann.toHexString(), bob.toHexString());
const at = new Date(1_000_000);
const later = new Date(2_000_000);

function message(seq: number, over: Partial<MessageDocument> = {}): MessageDocument {
  return {
    _id: new ObjectId(),
    conversation_id: conversation.id,
    seq,
    rev: seq,
    revs: [seq],
    sender_id: ann,
    recipient_id: bob,
    content: 'old',
    message_type: 'text',
    attachment: null,
    created_at: at,
    updated_at: at,
    status: 'sent',
    is_deleted: false,
    terms: ['old'],
    ...over,
  } as MessageDocument;
}

/** What users can do to a message. */
interface Act {
  kind: 'react' | 'unreact' | 'edit' | 'delete';
  user: ObjectId;
  emoji: string;
  content: string;
}

const decide =
  ({ kind, user, emoji, content }: Act): Amendment['decide'] =>
  (old) => {
    if (old.is_deleted) throw new Error('deleted');
    if (kind === 'edit')
      return content === old.content ? undefined : { ...old, content, terms: [content], edited_at: later };
    if (kind === 'delete') {
      const { reactions: _reactions, terms: _terms, ...rest } = old;
      return { ...rest, is_deleted: true, content: '', attachment: null };
    }
    const reactions = (kind === 'react' ? withReaction : withoutReaction)(old.reactions ?? [], emoji, user);
    return reactions && { ...old, reactions };
  };

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant<Act['kind']>('react') },
    { weight: 4, arbitrary: fc.constant<Act['kind']>('unreact') },
    { weight: 1, arbitrary: fc.constantFrom<Act['kind']>('edit', 'delete') },
  ),
  user: fc.constantFrom(...users),
  emoji: fc.constantFrom('👍', '🎉', '❤️', '❤'),
  content: fc.constantFrom('old', 'new', 'newer'),
});

const amendment = (of: MessageDocument, one: Act): Amendment => ({
  conversation,
  message: of,
  decide: decide(one),
  socket: undefined,
});
const react = (user: ObjectId, emoji = '👍'): Act => ({ kind: 'react', user, emoji, content: '' });

describe('planned amendments', () => {
  it('make one step of reactions to one message that follow each other', () => {
    const one = message(1);
    const { steps, outcomes } = planAmendments(
      users.map((user) => amendment(one, react(user))),
      new Map(),
      { rev: 1, at: later, pinned: 0 },
    );
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({ firstRev: 2, after: { rev: 6, updated_at: later } });
    expect(outcomes.map((outcome) => outcome.message?.rev)).toEqual([2, 3, 4, 5, 6]);
    expect(updateOf(steps[0]!)).toEqual({
      $set: { updated_at: later, reactions: [{ emoji: '👍', user_ids: users }] },
    });
  });

  it('add and take away single ids, however many have reacted', () => {
    const one = message(1, { reactions: [{ emoji: '👍', user_ids: users.slice(0, 4) }] });
    const added = planAmendments([amendment(one, react(users[4]!))], new Map(), { rev: 1, at: later, pinned: 0 });
    expect(updateOf(added.steps[0]!)).toEqual({
      $set: { updated_at: later },
      $push: { 'reactions.0.user_ids': { $each: [users[4]] } },
    });
    const taken = planAmendments([amendment(one, { ...react(ann), kind: 'unreact' })], new Map(), {
      rev: 1,
      at: later,
      pinned: 0,
    });
    expect(updateOf(taken.steps[0]!)).toEqual({
      $set: { updated_at: later },
      $pull: { 'reactions.0.user_ids': { $in: [ann] } },
    });
  });

  it('keep changes of other messages, and edits, as steps of their own', () => {
    const [one, other] = [message(1), message(2)];
    const acts = [
      amendment(one, react(ann)),
      amendment(other, react(ann)),
      amendment(one, react(bob)),
      amendment(one, { ...react(ann), kind: 'edit', content: 'new' }),
    ];
    const { steps } = planAmendments(acts, new Map(), { rev: 2, at: later, pinned: 0 });
    expect(steps.map(({ firstRev, after }) => [after.seq, firstRev, after.rev])).toEqual([
      [1, 3, 3],
      [2, 4, 4],
      [1, 5, 5],
      [1, 6, 6],
    ]);
  });

  it('take no rev for what changes nothing or is refused, and hold it back until what it rests on is stored', () => {
    const one = message(1);
    const acts: Act[] = [{ ...react(ann), kind: 'delete' }, react(bob), { ...react(ann), kind: 'delete' }];
    const { steps, outcomes } = planAmendments(
      acts.map((each) => amendment(one, each)),
      new Map(),
      { rev: 1, at: later, pinned: 0 },
    );
    expect(steps.map(({ after }) => after.rev)).toEqual([2]);
    expect(outcomes.map((outcome) => [outcome.steps, outcome.refusal instanceof Error])).toEqual([
      [1, false],
      [1, true],
      [1, true],
    ]);
  });

  it('begin with the newest state that is known of a message', () => {
    const stale = message(1);
    const newer = { ...stale, rev: 5, content: 'newer' };
    const found = new Map([[stale._id.toHexString(), newer]]);
    const { steps, outcomes } = planAmendments(
      [amendment(stale, { ...react(ann), kind: 'edit', content: 'newer' }), amendment(stale, react(bob))],
      found,
      { rev: 5, at: later, pinned: 0 },
    );
    expect(outcomes[0]).toMatchObject({ isChange: false, message: { rev: 5 } });
    expect(steps).toMatchObject([{ before: { rev: 5 }, firstRev: 6 }]);
  });
});

describe('the updates of planned amendments', () => {
  let client: MongoClient;
  let stored: Collection<MessageDocument>;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const database = await startDatabase();
    client = await new MongoClient(database.url, { ignoreUndefined: true }).connect();
    stored = client.db().collection('messages');
    stop = async () => {
      await client.db().dropDatabase();
      await client.close();
      await database.stop();
    };
  });
  afterAll(() => stop?.());

  it('leave in the store what was planned, for any acts on any messages', async () => {
    const acts = fc.array(fc.record({ of: fc.nat(1), act }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(acts, acts, async (first, second) => {
        const messages = [message(1), message(2)];
        await stored.insertMany(messages);
        let rev = 2;
        for (const batch of [first, second]) {
          const current = await stored
            .find({ _id: { $in: messages.map(({ _id }) => _id) } }, { sort: { seq: 1 } })
            .toArray();
          const plan = planAmendments(
            batch.map((one) => amendment(current[one.of] as MessageDocument, one.act)),
            new Map(),
            { rev, at: later, pinned: 0 },
          );
          const revs = plan.steps.flatMap(({ firstRev, after }) => [firstRev - 1, after.rev]);
          // Each step takes the revs right behind those of the one before it.
          expect(revs).toEqual(
            [rev, ...plan.steps.flatMap(({ after }) => [after.rev, after.rev])].slice(0, revs.length),
          );
          for (const step of plan.steps) {
            const update = updateOf(step);
            await stored.updateOne(
              { _id: step.before._id },
              { ...update, $set: { ...update.$set, rev: step.after.rev } },
            );
            const { reactions = [], ...rest } = (await stored.findOne({ _id: step.before._id }))!;
            const { reactions: planned = [], ...expected } = step.after;
            expect({ ...rest, reactions }).toEqual({ ...expected, reactions: planned });
          }
          rev = plan.steps.at(-1)?.after.rev ?? rev;
        }
      }),
      { numRuns: 60 },
    );
  });
});
