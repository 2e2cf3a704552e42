/** `letsapp-client`: a client of a LetsApp server, for browsers, Node and React Native. */

export type { Client, ClientEvents, ClientOptions, ConnectionState, MessageEvent } from './client.ts';
export { connect } from './connect.ts';
export type { DeviceInfo } from './connection/socket.ts';
export type {
  Call,
  CommandData,
  CommandName,
  CommandPayload,
  Contact,
  Conversation,
  ErrorCode,
  EventName,
  EventPayload,
  Group,
  Message,
  Presence,
  PublicUser,
  Self,
  Target,
} from './contract.ts';
export { ClientError } from './errors.ts';
export type { Live } from './live/live.ts';
export type { Draft } from './outbox/item.ts';
export { type Session, session, type TokenSource } from './session/session.ts';
export type { ClientWarning } from './storage/owned.ts';
export type { Storage } from './storage/storage.ts';
export type { Rights } from './store/rights.ts';
export type { Uploaded, UploadOptions } from './upload/upload.ts';
export type { ChatMessage, ChatMessages } from './views/chat-messages.ts';
export type { Edit } from './views/optimistic.ts';
export type { Thread } from './views/thread.ts';
