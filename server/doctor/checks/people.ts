/** Users, their sessions, and their contacts. */
import { ObjectId } from 'mongodb';
import { nextStep, type Step } from '../../contacts/pair-rules.ts';
import { nameKey } from '../../lib/name-key.ts';
import { pairId } from '../../model/conversation-ref.ts';
import type { UserDocument } from '../../model/documents/accounts.ts';
import type { ContactDocument } from '../../model/documents/contacts.ts';
import { batchesOf } from '../batches-of.ts';
import type { Check, CheckContext } from '../check.ts';

export const userKeys: Check = {
  name: 'keys of users',
  async *find({ collections: { users } }) {
    // Deleted accounts have other keys, so that nobody finds them.
    for await (const user of users.find({ is_active: true })) {
      const truth = keysOf(user);
      const wrong = (Object.keys(truth) as (keyof typeof truth)[]).filter((key) => user[key] !== truth[key]);
      if (wrong.length === 0) continue;
      const { _id, version } = user;
      yield {
        what: `user ${_id}: ${wrong.join(', ')}`,
        repair: () => users.updateOne({ _id, version: version ?? { $exists: false } }, { $set: truth }),
      };
    }
  },
};

function keysOf({ username, email, full_name }: UserDocument) {
  return {
    username_key: username.toLowerCase(),
    email_key: email.toLowerCase(),
    full_name_key: nameKey(full_name),
  };
}

export const sessions: Check = {
  name: 'sessions',
  async *find({ collections: { sessions, users } }) {
    for await (const batch of batchesOf(sessions.find({}, { projection: { user_id: 1 } }))) {
      const found = await users.distinct('_id', { _id: { $in: batch.map(({ user_id }) => user_id) } });
      const known = new Set(found.map((id) => id.toHexString()));
      for (const { _id, user_id } of batch.filter((one) => !known.has(one.user_id.toHexString()))) {
        yield {
          what: `session ${_id}: there is no user ${user_id}`,
          repair: () => sessions.deleteOne({ _id, user_id }),
        };
      }
    }
  },
};

export const contacts: Check = {
  name: 'contacts',
  async *find(context) {
    const { contacts } = context.collections;
    const told = new Set<string>();
    for await (const batch of batchesOf(contacts.find())) {
      const others = await contacts
        .find({ $or: batch.map(({ user_id, contact_id }) => ({ user_id: contact_id, contact_id: user_id })) })
        .toArray();
      const byOwner = new Map(others.map((other) => [`${other.user_id} ${other.contact_id}`, other]));
      for (const contact of batch) {
        const pair = pairId(contact.user_id.toHexString(), contact.contact_id.toHexString());
        const other = byOwner.get(`${contact.contact_id} ${contact.user_id}`);
        const step = nextStep<ContactDocument>(contact, other);
        if (!step || told.has(pair)) continue;
        told.add(pair);
        yield { what: `contact ${pair}: its two documents do not fit together`, repair: () => carryOut(context, step) };
      }
    }
  },
};

/** Takes the step with which a command on the pair would begin; a running server goes on from there. */
async function carryOut({ collections: { contacts }, clock }: CheckContext, step: Step): Promise<unknown> {
  if (step.kind === 'remove') {
    const { _id, user_id, status } = step.contact;
    return contacts.deleteOne({ _id, user_id, status });
  }
  if (step.kind === 'accept') {
    const { _id, user_id } = step.contact;
    const update = { $set: { status: 'accepted' as const, updated_at: clock() }, $unset: { direction: true as const } };
    return contacts.updateOne({ _id, user_id, status: 'pending' }, { ...update, $inc: { version: 1 } });
  }
  const { user_id, contact_id } = step.request;
  const document = {
    _id: new ObjectId(),
    pair: pairId(user_id.toHexString(), contact_id.toHexString()),
    status: 'pending' as const,
    direction: 'in' as const,
    created_at: clock(),
    updated_at: clock(),
  };
  const owner = { user_id: contact_id, contact_id: user_id };
  return contacts.updateOne(owner, { $setOnInsert: document }, { upsert: true });
}
