import type { ChatMessage, Rights } from 'letsapp-client';

/** What can be done with a message. */
export interface MessageActions {
  /** What the user may do in this conversation. */
  rights: Rights;
  reply(message: ChatMessage): void;
  edit(message: ChatMessage, content: string): Promise<unknown>;
  remove(message: ChatMessage): Promise<unknown>;
  react(message: ChatMessage, emoji: string, remove: boolean): Promise<unknown>;
  /** Undefined inside a thread. */
  openThread: ((message: ChatMessage) => void) | undefined;
  forward(message: ChatMessage): void;
  pin(message: ChatMessage, isPinned: boolean): Promise<unknown>;
  save(message: ChatMessage): Promise<unknown>;
  showRevisions(message: ChatMessage): void;
  retry(message: ChatMessage): void;
  discard(message: ChatMessage): void;
}
