/** Accounts over HTTP (PROTOCOL section 2): the bodies that come in and go out. */
import Type, { type Static } from 'typebox';
import { Self } from './documents.ts';
import { Bytes, Closed, DeviceInfo, DisplayName, Id, Nullable, Timestamp } from './values.ts';

/** bcrypt looks at 72 bytes and no more: a longer password is refused, never cut. */
const NewPassword = Bytes(72, 8);
/** A password that is to be compared: whatever could never be right is as wrong as any other. */
const AnyPassword = Type.String({ maxLength: 1024 });
const RefreshToken = Type.String({ minLength: 1, maxLength: 512 });
export const FullName = Nullable(DisplayName(100));
export const Username = Type.String({ pattern: '^[A-Za-z0-9_.-]{3,32}$' });
export const Email = Type.String({ format: 'email', maxLength: 254 });
export const Bio = Type.String({ maxLength: 500 });

export const RegisterBody = Closed({
  username: Username,
  email: Email,
  password: NewPassword,
  full_name: Type.Optional(FullName),
});
export const LoginBody = Closed({
  login: Type.String({ minLength: 1, maxLength: 254 }),
  password: AnyPassword,
  device_info: Type.Optional(DeviceInfo),
});
export const RefreshBody = Closed({ refresh_token: RefreshToken });
export const PasswordChangeBody = Closed({ current_password: AnyPassword, new_password: NewPassword });
export const PasswordForgotBody = Closed({ email: Email });
export const PasswordResetBody = Closed({
  token: Type.String({ minLength: 1, maxLength: 512 }),
  new_password: NewPassword,
});
export const ProfileBody = Closed({
  full_name: Type.Optional(FullName),
  bio: Type.Optional(Bio),
  profile_picture: Type.Optional(Nullable(Id)),
  settings: Type.Optional(
    Closed({
      notifications_enabled: Type.Optional(Type.Boolean()),
      read_receipts_enabled: Type.Optional(Type.Boolean()),
      typing_indicators_enabled: Type.Optional(Type.Boolean()),
    }),
  ),
});
/** Users who have no password leave it out. */
export const DeleteAccountBody = Closed({ password: Type.Optional(AnyPassword) });

const tokens = {
  access_token: Type.String(),
  refresh_token: Type.String(),
  /** Seconds until the access token expires. */
  expires_in: Type.Integer(),
  session_id: Id,
};
export const Tokens = Type.Object(tokens);
export type Tokens = Static<typeof Tokens>;
export const SignedIn = Type.Object({ user: Self, ...tokens });
export type SignedIn = Static<typeof SignedIn>;
export const SelfAnswer = Type.Object({ user: Self });
export const SessionList = Type.Object({
  sessions: Type.Array(
    Type.Object({
      session_id: Id,
      /** Without properties where the sign-in told none. */
      device_info: DeviceInfo,
      created_at: Timestamp,
      last_used_at: Timestamp,
      current: Type.Boolean(),
    }),
  ),
  /** True where older ones follow; else it is left out. */
  has_more: Type.Optional(Type.Boolean()),
});
/** Asks for the page that follows: `before` is the last session of the one before. */
export const SessionListQuery = Closed({ before: Type.Optional(Id) });
