/** What leads out of the server: subscriptions and jobs of push, and how far webhooks were told. */
import type { ObjectId } from 'mongodb';
import { batchesOf } from '../batches-of.ts';
import type { Check } from '../check.ts';
import { highestOf } from '../look-ups.ts';

const hex = (id: ObjectId) => id.toHexString();

export const pushSubscriptions: Check = {
  name: 'push subscriptions',
  async *find({ collections: { push_subscriptions, users, sessions } }) {
    const all = push_subscriptions.find({}, { projection: { user_id: 1, session_id: 1 } });
    for await (const batch of batchesOf(all)) {
      const [known, owners] = await Promise.all([
        users.find({ _id: { $in: batch.map((one) => one.user_id) } }, { projection: { uses_push: 1 } }).toArray(),
        sessions.find({ _id: { $in: batch.map((one) => one.session_id) } }, { projection: { user_id: 1 } }).toArray(),
      ]);
      const userById = new Map(known.map((user) => [hex(user._id), user]));
      const ownerOf = new Map(owners.map((session) => [hex(session._id), session.user_id]));
      for (const { _id, user_id, session_id } of batch) {
        const user = userById.get(hex(user_id));
        // A subscription whose session is over is removed when something is to be pushed to it.
        const isOwn = ownerOf.get(hex(session_id))?.equals(user_id) ?? true;
        if (!user || !isOwn) {
          yield {
            what: `push subscription ${_id}: ${user ? 'its session is of another user' : 'there is no such user'}`,
            repair: () => push_subscriptions.deleteOne({ _id, user_id, session_id }),
          };
        } else if (!user.uses_push) {
          yield {
            what: `user ${user_id}: has a push subscription, and is not known to use push`,
            repair: () =>
              users.updateOne({ _id: user_id, uses_push: { $exists: false } }, { $set: { uses_push: true } }),
          };
        }
      }
    }
  },
};

/** Whoever claims a job moves its due time on: one that waits without a due time would wait for ever. */
export const pushJobs: Check = {
  name: 'push jobs',
  async *find({ collections: { push_jobs }, clock }) {
    const stuck = { waits_since: { $exists: true }, due_at: { $exists: false } };
    for await (const { _id } of push_jobs.find(stuck, { projection: { _id: 1 } })) {
      yield {
        what: `push job ${_id}: it waits, and nobody will look at it`,
        repair: () => push_jobs.updateOne({ _id, ...stuck }, { $set: { due_at: clock() } }),
      };
    }
  },
};

/** A cursor that is ahead would skip the messages that come next. */
export const webhookCursors: Check = {
  name: 'cursors of webhooks',
  async *find({ store, collections: { webhook_cursors } }) {
    const told = webhook_cursors.find({ rev: { $gt: 0 } }, { projection: { stream: 1, rev: 1 } });
    for await (const batch of batchesOf(told)) {
      const newest = await highestOf(
        store,
        'rev',
        batch.map(({ stream }) => stream),
      );
      for (const { _id, stream, rev } of batch) {
        const end = newest.get(stream) ?? 0;
        if (rev! <= end) continue;
        yield {
          what: `webhook cursor ${_id}: told up to ${rev}, and there is nothing above ${end}`,
          repair: () => webhook_cursors.updateOne({ _id, rev: rev! }, { $set: { rev: end }, $unset: { had: true } }),
        };
      }
    }
  },
};
