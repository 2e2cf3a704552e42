/** The client: what an app imports. This file declares it; `connect.ts` puts it together. */
import type { DeviceInfo } from './connection/socket.ts';
import type {
  Call,
  CommandData,
  CommandName,
  CommandPayload,
  Contact,
  Conversation,
  EventName,
  EventPayload,
  Message,
  Presence,
  Self,
  Target,
} from './contract.ts';
import type { ClientError } from './errors.ts';
import type { Live } from './live/live.ts';
import type { Draft } from './outbox/item.ts';
import type { ClientWarning } from './storage/owned.ts';
import type { Storage } from './storage/storage.ts';
import type { Rights } from './store/rights.ts';
import type { Uploaded, UploadOptions } from './upload/upload.ts';
import type { ChatMessage, ChatMessages } from './views/chat-messages.ts';
import type { Edit } from './views/optimistic.ts';
import type { Thread } from './views/thread.ts';

export interface ClientOptions {
  /** Of the server, without a path. */
  url: string;
  /**
   * Gives an access token that is good for a while; asked for again before it ends. Throws a `ClientError`
   * `unauthenticated` when the session is over; after any other error it is asked again.
   */
  getToken: (() => string | Promise<string>) & { owner?(): Promise<string | undefined> };
  /** Shown in the list of the user's sessions. */
  device_info?: DeviceInfo;
  /** Where the client keeps what it knows. Without it nothing outlives the client. */
  storage?: Storage;
  /** How many messages of each conversation a first start takes (1–200). Default 50. */
  newest?: number;
  /** Whether to fetch what was missed, at the start too. Default true. */
  sync?: boolean;
}

export type ConnectionState = 'connecting' | 'syncing' | 'ready' | 'offline' | 'closed';

/** A message, and whether it was missed: it was written while there was no connection. */
export interface MessageEvent {
  message: Message;
  missed?: true;
}

/** The events of the contract, and those of the client itself. */
export type ClientEvents = {
  [N in EventName]: N extends 'message:new' | 'message:updated' ? MessageEvent : EventPayload<N>;
} & { state: ConnectionState; warning: ClientWarning; error: ClientError };

export interface Client {
  readonly state: ConnectionState;
  /** Why the session is over; undefined before, and after `close`. */
  readonly error: ClientError | undefined;
  /**
   * Carries out a command; what its answer carries goes into the live values.
   * @throws ClientError a refusal; at once `unavailable` where there is no connection
   */
  call<N extends CommandName>(
    name: N,
    ...payload: Record<never, never> extends CommandPayload<N>
      ? [payload?: CommandPayload<N>]
      : [payload: CommandPayload<N>]
  ): Promise<CommandData<N>>;
  /** Listens to an event; the function it returns ends that. */
  on<N extends keyof ClientEvents>(name: N, listener: (payload: ClientEvents[N]) => void): () => void;

  readonly me: Live<Self | undefined>;
  /** Newest activity first. */
  readonly conversations: Live<Conversation[]>;
  readonly contacts: Live<Contact[]>;
  /** Those that are not over. */
  readonly calls: Live<Call[]>;
  messages(target: Target): Live<ChatMessages>;
  /** The thread that hangs on a message. */
  thread(message_id: string): Live<Thread>;
  /** What the user may do in a conversation: permissions of the group, and slow mode. */
  rights(target: Target): Live<Rights>;
  /** The ids of those who are typing there. */
  typing(target: Target): Live<string[]>;
  presence(user_id: string): Live<Presence | undefined>;

  /**
   * Takes the next older page of a conversation into `messages`.
   * @throws ClientError
   */
  loadOlder(target: Target): Promise<void>;
  /** The same of a thread. @throws ClientError */
  loadOlderReplies(message_id: string): Promise<void>;
  /** Shows a message at once and sends it as soon as there is a connection, exactly once, whatever happens. */
  send(target: Target, message: Draft): ChatMessage;
  /** Sends what a message says to somebody else, as `send` does. */
  forward(target: Target, message_id: string): ChatMessage;
  /** A failed message goes out again. */
  retry(id: string): void;
  /** A message that was not sent yet, or failed, goes away. */
  discard(id: string): void;
  /** Shown at once, and taken back where it is refused. @throws ClientError */
  edit(message_id: string, change: Edit): Promise<Message>;
  /** Shown at once, and taken back where it is refused. @throws ClientError */
  remove(message_id: string): Promise<Message>;
  /** Shown at once, and taken back where it is refused. @throws ClientError */
  react(message_id: string, emoji: string, options?: { remove?: boolean }): Promise<Message>;
  /** Pins a message, or takes the pin away: shown at once, and taken back where it is refused. @throws ClientError */
  pin(message_id: string, pinned?: boolean): Promise<Message>;
  /** Saves a message for the user alone, or no longer; `message:saved` lists them. @throws ClientError */
  save(message_id: string, saved?: boolean): Promise<{ saved: boolean }>;
  /** Follows a thread, or no longer; `thread:list` lists them. @throws ClientError */
  follow(message_id: string, following?: boolean): Promise<{ following: boolean }>;
  /** All that is in the conversation was read. */
  markRead(target: Target): void;
  /** All that is in a thread was read. */
  markThreadRead(message_id: string): void;
  /** What the user has begun to write there, for the other devices (`draft` of the conversation); may be called with each key. */
  setDraft(target: Target, content: string): void;
  /** Says whether the user types; may be called with each key. */
  setTyping(target: Target, is_typing: boolean): void;
  /** @throws ClientError a refusal; an `AbortError` when it is aborted */
  upload(file: Blob & { name?: string }, options?: UploadOptions): Promise<Uploaded>;
  /** Ends the connection for good. Resolves when everything is stored. */
  close(): Promise<void>;
}
