import Type from 'typebox';
import { command, event } from './define.ts';
import { CONTACT_STATUSES, Contact, PublicUser, Self } from './documents.ts';
import { Closed, Id, Limit, OneOf } from './values.ts';

const OfUser = Closed({ user_id: Id });
const Changed = Type.Object({ contact: Contact });
/** The commands after which no document may be left answer with it only where there is one. */
const MaybeChanged = Type.Object({ contact: Type.Optional(Contact) });

export const contactCommands = {
  'contact:request': command(
    'Asks someone to become a contact; two people who ask each other are contacts.',
    Closed(
      { user_id: Type.Optional(Id), username: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })) },
      { oneOf: [{ required: ['user_id'] }, { required: ['username'] }] },
    ),
    Changed,
    'contact_request',
  ),
  'contact:accept': command('Accepts a request.', OfUser, Changed),
  'contact:reject': command('Rejects a request.', OfUser, MaybeChanged),
  'contact:remove': command('Ends a contact or withdraws a request.', OfUser, MaybeChanged),
  'contact:block': command('Lets nothing pass between the two any more, silently.', OfUser, Changed),
  'contact:unblock': command('Returns to no contact.', OfUser, MaybeChanged),
  'contact:update': command(
    "The owner's notes and favourites.",
    Closed({
      user_id: Id,
      notes: Type.Optional(Type.String({ maxLength: 1000 })),
      is_favorite: Type.Optional(Type.Boolean()),
    }),
    Changed,
  ),
  'contact:list': command(
    "The caller's contacts, of one status or all.",
    Closed({ status: Type.Optional(OneOf(CONTACT_STATUSES)) }),
    Type.Object({ contacts: Type.Array(Contact) }),
  ),
  'user:search': command(
    'Users whose username or full name begins with the query.',
    Closed({ query: Type.String({ minLength: 1, maxLength: 100 }), limit: Limit(100) }),
    Type.Object({ users: Type.Array(PublicUser) }),
  ),
  'user:get': command('One user.', OfUser, Type.Object({ user: PublicUser })),
};

export const contactEvents = {
  'contact:updated': event('A contact of the receiver was made or changed.', Changed),
  'contact:removed': event('A contact of the receiver went away.', OfUser),
  'user:updated': event(
    "A user's profile changed: `Self` to the own devices, `PublicUser` to accepted contacts.",
    Type.Object({ user: Type.Union([Self, PublicUser]) }),
  ),
};
