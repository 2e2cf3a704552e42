import Type from 'typebox';
import { command, event, FULL_PAGE, pageOf } from './define.ts';
import { CONTACT_STATUSES, Contact, PublicUser, Self } from './documents.ts';
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
  }),
  'contact:accept': command({ summary: 'Accepts a request.', payload: OfUser, data: Changed }),
  'contact:reject': command({ summary: 'Rejects a request.', payload: OfUser, data: MaybeChanged }),
  'contact:remove': command({ summary: 'Ends a contact or withdraws a request.', payload: OfUser, data: MaybeChanged }),
  'contact:block': command({
    summary: 'Lets nothing pass between the two any more, silently.',
    payload: OfUser,
    data: Changed,
  }),
  'contact:unblock': command({ summary: 'Returns to no contact.', payload: OfUser, data: MaybeChanged }),
  'contact:update': command({
    summary: "The owner's notes and favourites.",
    payload: Closed({
      user_id: Id,
      notes: Type.Optional(Type.String({ maxLength: 1000 })),
      is_favorite: Type.Optional(Type.Boolean()),
    }),
    data: Changed,
  }),
  'contact:list': command({
    summary: "The caller's contacts, of one status or all.",
    payload: Closed({ status: Type.Optional(OneOf(CONTACT_STATUSES)) }),
    data: Type.Object({ contacts: Type.Array(Contact) }),
    cost: FULL_PAGE,
  }),
  'user:search': command({
    summary: 'Users whose username or full name begins with the query.',
    payload: Closed({ query: Type.String({ minLength: 1, maxLength: 100 }), limit: Limit(100) }),
    data: Type.Object({ users: Type.Array(PublicUser) }),
    rate: 'user_search',
    weight: pageOf(100, 20),
    cost: pageOf(100, 20),
  }),
  'user:get': command({ summary: 'One user.', payload: OfUser, data: Type.Object({ user: PublicUser }) }),
};

export const contactEvents = {
  'contact:updated': event({ summary: 'A contact of the receiver was made or changed.', payload: Changed }),
  'contact:removed': event({ summary: 'A contact of the receiver went away.', payload: OfUser }),
  'user:updated': event({
    summary: "A user's profile changed: `Self` to the own devices, `PublicUser` to accepted contacts.",
    payload: Type.Object({ user: Type.Union([Self, PublicUser]) }),
  }),
};
