/** The commands on invitations to groups, and on those who ask to join (PROTOCOL section 16). */
import { ObjectId } from 'mongodb';
import type { Logger } from 'pino';
import type { HandlersOf } from '../../dispatch/handlers.ts';
import { invalid } from '../../lib/errors.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import { toPublicUser } from '../../model/views/user.ts';
import { findGroupPermitting } from '../find-group.ts';
import { includes } from '../members.ts';
import { createInvitations } from './find-invited.ts';
import { createInviteCommands, type InviteOptions } from './invite-commands.ts';
import { createJoin, createPreview, type JoinOptions } from './join.ts';
import type { JoinRequests, RequestPosition } from './join-requests.ts';
import { createRequesting, type RequestingOptions } from './requesting.ts';

const DEFAULT_LIMIT = 50;

type Command =
  | 'group:invite'
  | 'group:invites'
  | 'group:revoke_invite'
  | 'group:preview'
  | 'group:join'
  | 'group:requests'
  | 'group:decide';

export interface InvitationCommandOptions
  extends InviteOptions,
    RequestingOptions,
    Omit<JoinOptions, 'collections' | 'invitations' | 'requesting'> {
  collections: Pick<Collections, 'groups' | 'memberships' | 'users'>;
  requests: JoinRequests;
  log: Logger;
}

export function createInvitationCommands(options: InvitationCommandOptions): Pick<HandlersOf<'group'>, Command> {
  const { collections, requests, inTurn, clock, log } = options;
  const { groups, users } = collections;
  const invitations = createInvitations(collections, clock);
  const requesting = createRequesting(options);

  return {
    ...createInviteCommands(options),
    'group:preview': createPreview(invitations),
    'group:join': createJoin({ ...options, invitations, requesting }),
    async 'group:requests'(caller, { group_id, limit = DEFAULT_LIMIT, cursor }) {
      const group = await findGroupPermitting(groups, caller, fromId(group_id), 'add_members');
      const found = await requests.page(group._id, cursor === undefined ? undefined : fromCursor(cursor), limit + 1);
      const page = found.slice(0, limit);
      const undecided = page.filter(({ user_id, accepted_by }) => !accepted_by && !includes(group.members, user_id));
      for (const { user_id, accepted_by } of page) {
        if (!accepted_by) continue;
        requesting
          .settle(group._id, user_id)
          .catch((err: unknown) => log.warn({ err }, 'an acceptance is left behind'));
      }
      const asking = await users
        .find({ _id: { $in: undecided.map(({ user_id }) => user_id) }, is_active: true })
        .toArray();
      const byId = new Map(asking.map((user) => [user._id.toHexString(), toPublicUser(user)]));
      const shown = undecided.flatMap(({ user_id, at }) => {
        const user = byId.get(user_id.toHexString());
        return user ? [{ user, at: at.toISOString() }] : [];
      });
      return { requests: shown, ...(found.length > limit ? { cursor: toCursor(page.at(-1)!) } : {}) };
    },
    'group:decide': inTurn(async (caller, { group_id, user_id, accept }, assertTime) => ({
      group: await requesting.decide(caller, fromId(group_id), fromId(user_id), accept, assertTime),
    })),
  };
}

function toCursor({ at, _id }: RequestPosition): string {
  return Buffer.from(`${at.getTime()} ${_id.toHexString()}`).toString('base64url');
}

/** @throws ContractError `validation_failed` for what `toCursor` did not make */
function fromCursor(cursor: string): RequestPosition {
  const [, at, id] = /^(\d{1,15}) ([0-9a-f]{24})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (at === undefined || id === undefined) throw invalid('cursor', 'is not one that a page gave');
  return { at: new Date(Number(at)), _id: ObjectId.createFromHexString(id) };
}
