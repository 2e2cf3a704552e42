import Type from 'typebox';
import { command, event, FULL_PAGE, pageOf } from './define.ts';
import { CONTACT_STATUSES, Contact, PublicUser, Self } from './documents.ts';
import { BOB, bob, contact } from './examples.ts';
import { Closed, Id, Limit, OneOf } from './values.ts';

const OfUser = Closed({ user_id: Id });
const Changed = Type.Object({ contact: Contact });
/** The commands after which no document may be left answer with it only where there is one. */
const MaybeChanged = Type.Object({ contact: Type.Optional(Contact) });

export const contactCommands = {
  'contact:request': command({
    summary: 'Asks someone to become a contact; two people who ask each other are contacts.',
    payload: Closed(
      { user_id: Type.Optional(Id), username: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })) },
      { oneOf: [{ required: ['user_id'] }, { required: ['username'] }] },
    ),
    data: Changed,
    rate: 'contact_request',
    errors: ['forbidden', 'not_found'],
    example: { payload: { username: 'bob' }, data: { contact: { ...contact, status: 'pending', direction: 'out' } } },
  }),
  'contact:accept': command({
    summary: 'Accepts a request.',
    payload: OfUser,
    data: Changed,
    errors: ['not_found'],
    example: { payload: { user_id: BOB }, data: { contact } },
  }),
  'contact:reject': command({
    summary: 'Rejects a request.',
    payload: OfUser,
    data: MaybeChanged,
    errors: ['not_found'],
    example: { payload: { user_id: BOB }, data: {} },
  }),
  'contact:remove': command({
    summary: 'Ends a contact or withdraws a request.',
    payload: OfUser,
    data: MaybeChanged,
    errors: ['not_found'],
    example: { payload: { user_id: BOB }, data: {} },
  }),
  'contact:block': command({
    summary: 'Lets nothing pass between the two any more, silently.',
    payload: OfUser,
    data: Changed,
    errors: ['not_found'],
    example: { payload: { user_id: BOB }, data: { contact: { ...contact, status: 'blocked' } } },
  }),
  'contact:unblock': command({
    summary: 'Returns to no contact.',
    payload: OfUser,
    data: MaybeChanged,
    errors: ['not_found'],
    example: { payload: { user_id: BOB }, data: {} },
  }),
  'contact:update': command({
    summary: "The owner's notes and favourites.",
    payload: Closed({
      user_id: Id,
      notes: Type.Optional(Type.String({ maxLength: 1000 })),
      is_favorite: Type.Optional(Type.Boolean()),
    }),
    data: Changed,
    errors: ['not_found'],
    example: { payload: { user_id: BOB, notes: 'From the harbour.', is_favorite: true }, data: { contact } },
  }),
  'contact:list': command({
    summary: "The caller's contacts, of one status or all.",
    payload: Closed({ status: Type.Optional(OneOf(CONTACT_STATUSES)) }),
    data: Type.Object({ contacts: Type.Array(Contact) }),
    cost: FULL_PAGE,
    example: { payload: { status: 'accepted' }, data: { contacts: [contact] } },
  }),
  'user:search': command({
    summary: 'Users whose username or full name begins with the query.',
    payload: Closed({ query: Type.String({ minLength: 1, maxLength: 100 }), limit: Limit(100) }),
    data: Type.Object({ users: Type.Array(PublicUser) }),
    rate: 'user_search',
    weight: pageOf(100, 20),
    cost: pageOf(100, 20),
    example: { payload: { query: 'bo', limit: 20 }, data: { users: [bob] } },
  }),
  'user:get': command({
    summary: 'One user.',
    payload: OfUser,
    data: Type.Object({ user: PublicUser }),
    errors: ['not_found'],
    example: { payload: { user_id: BOB }, data: { user: bob } },
  }),
};

export const contactEvents = {
  'contact:updated': event({
    summary: 'A contact of the receiver was made or changed.',
    payload: Changed,
    example: { contact },
  }),
  'contact:removed': event({
    summary: 'A contact of the receiver went away.',
    payload: OfUser,
    example: { user_id: BOB },
  }),
  'user:updated': event({
    summary: "A user's profile changed: `Self` to the own devices, `PublicUser` to accepted contacts.",
    payload: Type.Object({ user: Type.Union([Self, PublicUser]) }),
    example: { user: bob },
  }),
};
