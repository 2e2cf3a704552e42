/** Invitations as they are stored in their group: their codes, and whether they still let somebody in. Pure. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Invite } from '../../../shared/contract/documents.ts';
import { toWire } from '../../model/codec.ts';
import type { GroupDocument, StoredInvite } from '../../model/documents/groups.ts';

/** Random bytes of a code: more than the 128 bits that nobody can guess, and no padding in base64. */
const CODE_BYTES = 18;

export function newCode(): string {
  return randomBytes(CODE_BYTES).toString('base64url');
}

/**
 * What an invitation is looked up by: a hash, so that the time of the look-up tells nothing of the code. Plain SHA-256
 * is enough for what is random.
 */
export function keyOf(code: string): string {
  return createHash('sha256').update(code).digest('base64url');
}

/** A group's invitation with this code, and its id. Compared in constant time. */
export function inviteByCode({ invites = {} }: GroupDocument, code: string): [string, StoredInvite] | undefined {
  const wanted = Buffer.from(keyOf(code));
  return Object.entries(invites).find(([, invite]) => timingSafeEqual(Buffer.from(keyOf(invite.code)), wanted));
}

/** Whether an invitation is neither expired nor used up. */
export function isOpen({ expires_at, max_uses, uses }: StoredInvite, now: Date): boolean {
  return (expires_at === undefined || expires_at > now) && (max_uses === undefined || uses < max_uses);
}

/** Whether it was made before a user was removed, who then does not come back by it. */
export function isBefore({ created_at }: StoredInvite, removedAt: Date | undefined): boolean {
  return removedAt !== undefined && created_at <= removedAt;
}

/** The path of an invitation's count of uses. */
export function usesPath(inviteId: string): `invites.${string}.uses` {
  return `invites.${inviteId}.uses`;
}

/** The filter that an invitation is there and still has a use to take. */
export function usesLeft(inviteId: string, { max_uses }: StoredInvite) {
  return { [usesPath(inviteId)]: max_uses === undefined ? { $gte: 0 } : { $lt: max_uses } };
}

/** The update that takes invitations out of their group. */
export function withoutInvites(gone: readonly (readonly [string, StoredInvite])[]) {
  return {
    $unset: Object.fromEntries(gone.map(([id]) => [`invites.${id}`, true as const])),
    $pull: { invite_keys: { $in: gone.flatMap(([id, { code }]) => [id, keyOf(code)]) } },
  };
}

/** @param publicUrl where browsers reach the server, if that is known */
export function toWireInvite(inviteId: string, invite: StoredInvite, publicUrl: string | undefined): Invite {
  const { code, ...rest } = invite;
  return {
    invite_id: inviteId,
    code,
    ...(publicUrl === undefined ? {} : { url: `${publicUrl}/join/${code}` }),
    ...toWire(rest),
  };
}
