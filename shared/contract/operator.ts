/** The server API of the operator's own back end (PROTOCOL section 12): what comes in and goes out. */
import Type from 'typebox';
import { Bio, Email, FullName, Username } from './accounts.ts';
import { ServerUser } from './documents.ts';
import { Closed, DeviceInfo, Id, Metadata } from './values.ts';

/** Who a user is to the operator's back end. Counted in code points. */
export const ExternalId = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
});

export const ServerUserBody = Closed({
  username: Type.Optional(Username),
  full_name: Type.Optional(FullName),
  bio: Type.Optional(Bio),
  email: Type.Optional(Email),
  is_bot: Type.Optional(Type.Boolean()),
  metadata: Type.Optional(Metadata),
});
/** Names a user in one of three ways. */
export const ServerUserQuery = Closed(
  {
    external_id: Type.Optional(ExternalId),
    user_id: Type.Optional(Id),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  },
  { minProperties: 1, maxProperties: 1 },
);
export const ServerSessionBody = Closed({ device_info: Type.Optional(DeviceInfo) });
export const ServerUserAnswer = Type.Object({ user: ServerUser });
export const ServerUserPutAnswer = Type.Object({ user: ServerUser, created: Type.Boolean() });
