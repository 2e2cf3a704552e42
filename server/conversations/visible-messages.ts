/** Which of many messages a user may see, whatever their conversations. */
import type { ObjectId } from 'mongodb';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { refFromId } from '../model/conversation-ref.ts';
import { isVisible, type Visibility } from './visibility.ts';

/** What it takes to know whether a message may be seen. */
export interface Located {
  conversation_id: string;
  seq: number;
}

/** Those of the messages that a user may see, by two commands where any of them is in a group, else by none. */
export type VisibleAmong = <M extends Located>(userId: ObjectId, messages: readonly M[]) => Promise<M[]>;

export function createVisibleAmong(
  { groups, memberships }: Pick<Collections, 'groups' | 'memberships'>,
  visibility: Visibility,
): VisibleAmong {
  /** From where on the user sees each of these groups that the user is in. */
  async function groupFloors(user_id: ObjectId, ids: string[]): Promise<Map<string, number>> {
    const [mine, stays] = await Promise.all([
      groups
        .find({ _id: { $in: ids.map(fromId) }, members: user_id, is_active: true }, { projection: { _id: 1 } })
        .toArray(),
      memberships
        .find({ user_id, conversation_id: { $in: ids } }, { projection: { _id: 0, conversation_id: 1, from_seq: 1 } })
        .toArray(),
    ]);
    const stayIn = new Map(stays.map((stay) => [stay.conversation_id, stay]));
    return new Map(
      mine.map(({ _id }) => {
        const id = _id.toHexString();
        return [id, visibility.fromSeq(stayIn.get(id))];
      }),
    );
  }

  return async (userId, messages) => {
    const ids = [...new Set(messages.map(({ conversation_id }) => conversation_id))];
    const groupIds = ids.filter((id) => refFromId(id).kind === 'group');
    const floors = groupIds.length > 0 ? await groupFloors(userId, groupIds) : new Map<string, number>();
    const user = userId.toHexString();
    for (const id of ids) {
      const ref = refFromId(id);
      if (ref.kind === 'direct' && ref.user_ids.includes(user)) floors.set(id, 0);
    }
    return messages.filter((message) => {
      const floor = floors.get(message.conversation_id);
      return floor !== undefined && isVisible(message, floor);
    });
  };
}
