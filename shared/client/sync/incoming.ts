/** What the server tells: into the store, then to the app. */
import type { Marks } from '../activity/marks.ts';
import type { Typing } from '../activity/typing.ts';
import type { ClientEvents } from '../client.ts';
import type { EventName, EventPayload, Message } from '../contract.ts';
import type { Emitter } from '../emitter.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Change } from '../store/changes.ts';
import type { Store } from '../store/store.ts';
import type { CatchUp } from './catch-up.ts';

export interface IncomingOptions {
  store: Store;
  emitter: Emitter<ClientEvents>;
  marks: Marks;
  typing: Typing;
  outbox: Outbox;
  catchUp: Pick<CatchUp, 'arrived'>;
  /** Something was told of a conversation: perhaps of one that is not known yet. */
  onTouched(conversationId: string): void;
  /** Lets go of messages of a conversation that nobody looks at. */
  trim(conversationId: string): void;
}

export interface Incoming {
  event(name: EventName, payload: unknown): void;
  /** A message, in its turn. */
  message(name: 'message:new' | 'message:updated', message: Message, isMissed: boolean): void;
}

export function createIncoming(options: IncomingOptions): Incoming {
  const { store, emitter, marks, typing, outbox, catchUp, onTouched, trim } = options;

  return {
    event(name, payload) {
      if (name === 'message:new' || name === 'message:updated') {
        return catchUp.arrived((payload as EventPayload<'message:new'>).message);
      }
      store.apply({ event: name, payload } as Change);
      const touched = conversationOf(name, payload, store);
      if (touched !== undefined) onTouched(touched);
      if (name === 'typing') {
        const { conversation_id, user_id, is_typing } = payload as EventPayload<'typing'>;
        typing.told(conversation_id, user_id, is_typing);
      }
      emitter.emit(name, payload as never);
    },
    message(name, message, isMissed) {
      const { conversation_id, sender_id, client_message_id } = message;
      if (sender_id !== store.state().me?._id) {
        marks.delivered(conversation_id);
        if (name === 'message:new') typing.told(conversation_id, sender_id, false);
      } else if (client_message_id !== undefined) outbox.arrived(client_message_id);
      onTouched(conversation_id);
      trim(conversation_id);
      emitter.emit(name, { message, ...(isMissed ? { missed: true } : {}) });
    },
  };
}

/** The conversation that an event is about, where that may be a new one. */
function conversationOf(name: EventName, payload: unknown, store: Store): string | undefined {
  if (name === 'conversation:updated') {
    return (payload as EventPayload<'conversation:updated'>).conversation.conversation_id;
  }
  if (name !== 'group:updated') return undefined;
  const { group } = payload as EventPayload<'group:updated'>;
  return group.is_active && group.members.includes(store.state().me?._id ?? '') ? group._id : undefined;
}
