/** The domains, built in the order in which they need each other. Each is handed here what it needs of the others. */
import { createAccountDomain } from './accounts/domain.ts';
import { sessionRoom } from './bus/rooms.ts';
import { createCallDomain } from './calls/domain.ts';
import { createContactDomain } from './contacts/domain.ts';
import type { Foundation } from './foundation.ts';
import { createGroupDomain } from './groups/domain.ts';
import { type Authenticate, authenticated } from './http/authentication.ts';
import { createInboxDomain } from './inbox/domain.ts';
import { createMediaDomain } from './media/domain.ts';
import { createMessageDomain } from './messages/domain.ts';
import { stateOf } from './model/state.ts';
import { toSelf } from './model/views/user.ts';
import { registerOperatorRoutes } from './operator/routes.ts';
import { createServerKeys } from './operator/server-keys.ts';
import { createPresenceDomain } from './presence/domain.ts';
import { createPushDomain } from './push/domain.ts';
import { loadVapidKeys } from './push/vapid-keys.ts';
import { createWebhookDomain } from './webhooks/domain.ts';

export type Domains = Awaited<ReturnType<typeof createDomains>>;

/** @throws ConfigError when the signing key, or a key for push, is not usable */
export async function createDomains(foundation: Foundation) {
  const { config, bus, access, lookups, io, log } = foundation;
  /** Lets work go on after the answer; a failure is logged. */
  const aside = (work: Promise<unknown>, failure: string) => {
    work.catch((err: unknown) => log.warn({ err }, failure));
  };

  const { requireServerKey, actingOr } = createServerKeys(foundation);
  const vapid = await loadVapidKeys(config.push, config.dataDir);
  const accounts = await createAccountDomain({
    ...foundation,
    onSessionsEnded(sessionIds) {
      bus.revoke(sessionIds);
      aside(push.sessionsEnded(sessionIds), 'subscriptions of ended sessions are still there');
    },
    checkPicture: (userId, mediaId) => media.ownership.checkPicture(userId, mediaId),
    onProfileChanged(user) {
      const userId = user._id.toHexString();
      const state = stateOf('user', user._id, user.version);
      bus.emit({ users: [userId] }, 'user:updated', { user: toSelf(user) }, undefined, state);
      aside(contacts.tellContacts(userId), 'contacts are not told of a profile');
    },
    whileChanging: (userId, write) => lookups.changing(userId, write),
    whileDeactivating: (write) => lookups.changing(undefined, write),
    async announceDeactivation(userId) {
      const telling = contacts.tellContacts(userId);
      aside(telling, 'contacts are not told of a deactivation');
      aside(groups.succeedAdmin(userId), 'a group is without an admin');
      await Promise.allSettled([telling]);
    },
    announceReactivation: (userId) => aside(contacts.tellContacts(userId), 'contacts are not told of a reactivation'),
    eraseParts: [
      (userId) => contacts.erase(userId),
      (userId) => presence.erase(userId),
      (userId) => groups.erase(userId),
      (userId) => inbox.erase(userId),
      (userId) => messages.erase(userId),
      (userId) => media.erase(userId),
    ],
  });
  const authenticate = telling(accounts.authenticate, (userId) => push.usesPush(userId));
  /** For the routes of users that a server key may act on too. */
  const identifyCaller = actingOr(authenticated(authenticate));
  const media = createMediaDomain({
    ...foundation,
    authenticate: identifyCaller,
    linkKeys: accounts.deriveKeys('media links'),
  });
  const presence = createPresenceDomain({ ...foundation, graceMs: config.presenceGraceMs });
  const calls = createCallDomain({
    ...foundation,
    isConnected: (socketId) => io.of('/').sockets.get(socketId)?.connected === true,
  });
  const contacts = createContactDomain({
    ...foundation,
    onBecameContacts: (one, other) =>
      aside(presence.becameContacts(one, other), 'new contacts are not told of their presence'),
    onBlocked: calls.endBetween,
  });
  const groups = createGroupDomain({
    ...foundation,
    isBlocked: access.isBlocked,
    areContacts: foundation.audience.areContacts,
    checkIcon: media.ownership.checkPicture,
    onRemoved: calls.removeFromCalls,
  });
  const inbox = createInboxDomain({ ...foundation, callsOf: calls.callsOf });
  const messages = createMessageDomain({
    ...foundation,
    summaries: inbox.summaries,
    openPair: inbox.memberships.openPair,
    attachments: media.ownership,
    scopesOf: inbox.scopesOf,
  });
  registerOperatorRoutes({
    ...foundation,
    requireServerKey,
    accounts: accounts.operator,
    deleteMessage: messages.deleteAsSender,
  });
  const webhooks = await createWebhookDomain({ ...foundation, requireServerKey, deriveKeys: accounts.deriveKeys });
  const push = createPushDomain({
    ...foundation,
    ...{ vapid, sessionsOf: presence.sessionsOf, unreadOf: inbox.unreadOf },
    isConnectedHere: (sessionId) => io.of('/').adapter.rooms.has(sessionRoom(sessionId)),
  });
  const domains = { accounts, media, presence, calls, contacts, groups, inbox, messages, push, webhooks };
  return { ...domains, authenticate, identifyCaller, requireServerKey };
}

/** Reports users who use push as they are authenticated: whether they do is read then anyway. */
function telling(authenticate: Authenticate, usesPush: (userId: string) => void): Authenticate {
  return async (accessToken) => {
    const found = await authenticate(accessToken);
    if (found.user.uses_push) usesPush(found.user._id.toHexString());
    return found;
  };
}
