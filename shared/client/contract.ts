/** The contract as an app sees it: the same declarations, where a target is exactly one of a user and a group. */
import type {
  CommandName,
  CommandData as Data,
  EventName,
  EventPayload,
  CommandPayload as Payload,
} from '../contract/index.ts';

export type { SignedIn, Tokens } from '../contract/accounts.ts';
export type {
  Call,
  Contact,
  Conversation,
  Group,
  IceServer,
  Media,
  Message,
  Presence,
  PublicUser,
  Receipt,
  Self,
} from '../contract/documents.ts';
export type { Ack, ErrorCode, WireError } from '../contract/errors.ts';
export type { CommandName, EventName, EventPayload };

/** Whom something is for: a user or a group, never both. */
export type Target = { recipient_id: string; group_id?: never } | { group_id: string; recipient_id?: never };

/** Leaves out properties, of each member of a union by itself. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type NoTarget = { recipient_id?: never; group_id?: never };

/** The payload of a command. */
export type CommandPayload<N extends CommandName> = N extends 'message:search'
  ? Without<Payload<N>, keyof Target> & (Target | NoTarget)
  : 'group_id' extends keyof Payload<N>
    ? 'recipient_id' extends keyof Payload<N>
      ? Without<Payload<N>, 'recipient_id' | 'group_id'> & Target
      : Payload<N>
    : Payload<N>;

/** What a success is answered with. */
export type CommandData<N extends CommandName> = Data<N>;
