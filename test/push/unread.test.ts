import { ObjectId } from 'mongodb';
import { expect, it } from 'vitest';
import { readUnread } from '../../server/push/decide/unread.ts';

it('what users have not read is asked once of each, of a few at a time', async () => {
  const users = Array.from({ length: 40 }, () => new ObjectId());
  const asked: string[] = [];
  let [underWay, most] = [0, 0];
  const found = await readUnread(
    async (userId) => {
      asked.push(userId.toHexString());
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      return { badge: users.indexOf(userId), counts: new Map() };
    },
    [...users, ...users],
  );
  expect(asked.sort()).toEqual(users.map((id) => id.toHexString()).sort());
  expect(users.map((id) => found.get(id.toHexString())!.badge)).toEqual(users.map((_, i) => i));
  expect(most).toBeLessThanOrEqual(6);
});
