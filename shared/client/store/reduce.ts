/** The store: a pure function from what is known and what happens to what is known then. */
import type {
  Call,
  CommandData,
  Contact,
  Conversation,
  Group,
  Message,
  Presence,
  PublicUser,
  Self,
} from '../contract.ts';
import { withCall, withListed } from './calls.ts';
import type { AnswerChange, Change, OlderChange, PageChange } from './changes.ts';
import { withConversation, withMessage, withNewestOnly, withOlder, withReceipt, withSynced } from './conversation.ts';
import { type Kept, type State, withEntry } from './state.ts';
import { type KeptThread, withPlace, withThreadMessage, withThreadPage, withThreadRead } from './threads.ts';

/** @returns the state after a change; the same object where it changes nothing */
export function reduce(state: State, change: Change): State {
  if ('event' in change) return withEvent(state, change);
  if ('answer' in change) return withAnswer(state, change);
  if ('page' in change) return withPage(state, change);
  if ('older' in change) return withOlderPage(state, change);
  if ('restored' in change) return change.restored;
  if ('read' in change) {
    const me = state.me?._id ?? '';
    const receipt = { user_id: me, delivered_seq: change.seq, read_seq: change.seq };
    return inConversation(state, change.read, (kept) => kept && withReceipt(kept, receipt, me));
  }
  if ('threadRead' in change) {
    return inThread(state, change.threadRead, (kept) => withThreadRead(kept, change.seq, state.me?._id));
  }
  return inConversation(state, change.trim, (kept) => kept && withNewestOnly(kept, change.most));
}

function withEvent(state: State, change: Extract<Change, { event: string }>): State {
  switch (change.event) {
    case 'session:ready':
      return { ...state, me: change.payload.user };
    case 'message:new':
    case 'message:updated':
      return applyMessage(state, change.payload.message);
    case 'message:status': {
      const { conversation_id, user_id, delivered_seq, read_seq } = change.payload;
      const receipt = { user_id, delivered_seq, read_seq };
      return inConversation(state, conversation_id, (kept) => kept && withReceipt(kept, receipt, state.me?._id));
    }
    case 'conversation:updated':
      return applyConversation(state, change.payload.conversation);
    case 'thread:updated':
      return inThread(state, change.payload.message_id, (kept) => withPlace(kept, change.payload));
    case 'group:updated':
      return applyGroup(state, change.payload.group);
    case 'contact:updated':
      return applyContact(state, change.payload.contact);
    case 'contact:removed':
      return { ...state, contacts: withEntry(state.contacts, change.payload.user_id, undefined) };
    case 'user:updated':
      return applyUser(state, change.payload.user);
    case 'presence:changed':
      return applyPresence(state, change.payload.presence);
    case 'call:incoming':
    case 'call:updated':
      return applyCall(state, change.payload.call);
    default:
      return state;
  }
}

/** What answers may carry. */
interface Carried {
  message?: Message;
  conversation?: Conversation;
  group?: Group;
  contact?: Contact;
  call?: Call;
  presence?: Presence;
  presences?: Presence[];
  contacts?: Contact[];
}

/** The commands after which the contact may be gone. */
const ENDS_CONTACT = ['contact:remove', 'contact:reject', 'contact:unblock'];

function withAnswer(state: State, { answer, payload, data }: AnswerChange): State {
  const { message, conversation, group, contact, call, presence, presences, contacts } = data as Carried;
  let next = state;
  if (message) next = applyMessage(next, message);
  if (conversation) next = applyConversation(next, conversation);
  if (group) next = applyGroup(next, group);
  if (contact) next = applyContact(next, contact);
  else if (ENDS_CONTACT.includes(answer)) {
    next = { ...next, contacts: withEntry(next.contacts, (payload as { user_id: string }).user_id, undefined) };
  }
  if (call) next = applyCall(next, call);
  for (const each of presences ?? (presence ? [presence] : [])) next = applyPresence(next, each);
  if (contacts) next = applyContacts(next, contacts, (payload as { status?: string }).status);
  if (answer === 'message:read') next = applyRead(next, payload as never, data as never);
  return withThreadAnswer(next, { answer, payload, data });
}

/** What is told of a thread by the answers that are about one. */
function withThreadAnswer(state: State, { answer, payload, data }: AnswerChange): State {
  const {
    message_id: id,
    up_to_seq,
    before_seq,
    after_seq,
  } = payload as {
    message_id: string;
    up_to_seq: number;
    before_seq?: number;
    after_seq?: number;
  };
  const { following, unread_count } = data as { following: boolean; unread_count: number };
  switch (answer) {
    case 'message:thread': {
      if (after_seq !== undefined) return state;
      const kept = withThreadPage(state.threads.get(id), data as CommandData<typeof answer>, before_seq);
      return { ...state, threads: withEntry(state.threads, id, kept) };
    }
    case 'thread:follow':
      return inThread(state, id, (kept) => ({ ...kept, following }));
    case 'thread:read':
      return inThread(state, id, (kept) =>
        (kept.replies.at(-1)?.seq ?? 0) > up_to_seq
          ? withThreadRead(kept, up_to_seq, state.me?._id)
          : withPlace(kept, { following: kept.following, read_seq: up_to_seq, unread_count }),
      );
    default:
      return state;
  }
}

function applyMessage(state: State, message: Message): State {
  const me = state.me?._id;
  const next = inConversation(state, message.conversation_id, (kept) => withMessage(kept, message, me));
  return inThread(next, message.thread_id ?? message._id, (kept) => withThreadMessage(kept, message, me));
}

function applyConversation(state: State, told: Conversation): State {
  return inConversation(state, told.conversation_id, (kept) => withConversation(kept, told, state.me?._id));
}

/** What was read is no longer unread, whatever could be counted from what is kept. */
function applyRead(
  state: State,
  { recipient_id, group_id, up_to_seq }: { recipient_id?: string; group_id?: string; up_to_seq: number },
  { unread_count }: CommandData<'message:read'>,
): State {
  const me = state.me?._id ?? '';
  for (const [id, { target }] of state.conversations) {
    if (target.recipient_id !== recipient_id || target.group_id !== group_id) continue;
    return inConversation(state, id, (kept) => {
      const marked = withReceipt(kept!, { user_id: me, delivered_seq: up_to_seq, read_seq: up_to_seq }, me);
      const { conversation } = marked;
      // What came after the answer was made counts too.
      const isCurrent = conversation && conversation.last_seq <= up_to_seq;
      if (!isCurrent || conversation.unread_count === unread_count) return marked;
      return { ...marked, conversation: { ...conversation, unread_count } };
    });
  }
  return state;
}

function applyGroup(state: State, group: Group): State {
  const me = state.me?._id;
  if (!group.is_active || (me !== undefined && !group.members.includes(me))) {
    return inConversation(state, group._id, () => undefined);
  }
  return inConversation(state, group._id, (kept) => {
    const known = kept?.conversation;
    if (!known?.group || known.group.updated_at > group.updated_at) return kept;
    const receipts = known.receipts.filter(({ user_id }) => group.members.includes(user_id));
    return { ...kept!, conversation: { ...known, group, receipts } };
  });
}

function applyContact(state: State, contact: Contact): State {
  const known = state.contacts.get(contact.contact_id);
  if (known && known.updated_at > contact.updated_at) return state;
  return { ...state, contacts: withEntry(state.contacts, contact.contact_id, contact) };
}

function applyContacts(state: State, contacts: Contact[], status: string | undefined): State {
  if (status !== undefined) return contacts.reduce(applyContact, state);
  return { ...state, contacts: new Map(contacts.map((contact) => [contact.contact_id, contact])) };
}

function applyUser(state: State, user: PublicUser | Self): State {
  const me = 'settings' in user && user._id === state.me?._id ? user : state.me;
  const contact = state.contacts.get(user._id);
  const publicUser = user as PublicUser;
  const next = {
    ...state,
    me,
    contacts: contact ? withEntry(state.contacts, user._id, { ...contact, user: publicUser }) : state.contacts,
  };
  if ('settings' in user) return next;
  for (const [id, { conversation }] of state.conversations) {
    if (conversation?.peer?._id !== user._id) continue;
    return inConversation(next, id, (kept) => ({ ...kept!, conversation: { ...conversation, peer: publicUser } }));
  }
  return next;
}

function applyPresence(state: State, presence: Presence): State {
  return { ...state, presences: withEntry(state.presences, presence.user_id, presence) };
}

function applyCall(state: State, call: Call): State {
  return { ...state, calls: withCall(state.calls, call) };
}

function withPage(state: State, { page, named, newest, isFirst }: PageChange): State {
  const me = state.me?._id;
  const conversations = new Map(state.conversations);
  for (const id of page.gone) conversations.delete(id);
  for (const part of page.conversations) {
    const id = part.conversation.conversation_id;
    const kept = withSynced(conversations.get(id), part, { wasNamed: id in named, newest }, me);
    if (kept) conversations.set(id, kept);
  }
  const calls = isFirst ? withListed(state.calls, page.calls) : state.calls;
  const { threads } = page.conversations
    .flatMap(({ messages }) => messages)
    .reduce((next, one) => inThread(next, one.thread_id ?? one._id, (kept) => withThreadMessage(kept, one, me)), state);
  return { ...state, conversations, calls, threads, since: page.has_more ? state.since : page.server_time };
}

function withOlderPage(state: State, { older, conversationId, below, hasOlder }: OlderChange): State {
  return inConversation(state, conversationId, (kept) => withOlder(kept, older, hasOlder, below, state.me?._id));
}

function inThread(state: State, rootId: string, change: (kept: KeptThread) => KeptThread): State {
  const kept = state.threads.get(rootId);
  const threads = kept ? withEntry(state.threads, rootId, change(kept)) : state.threads;
  return threads === state.threads ? state : { ...state, threads };
}

function inConversation(state: State, id: string, change: (kept: Kept | undefined) => Kept | undefined): State {
  const conversations = withEntry(state.conversations, id, change(state.conversations.get(id)));
  return conversations === state.conversations ? state : { ...state, conversations };
}
