import type { ChatMessage } from 'letsapp-client';

/** What can be done with a message. */
export interface MessageActions {
  reply(message: ChatMessage): void;
  edit(message: ChatMessage, content: string): Promise<unknown>;
  remove(message: ChatMessage): Promise<unknown>;
  react(message: ChatMessage, emoji: string, remove: boolean): Promise<unknown>;
  retry(message: ChatMessage): void;
  discard(message: ChatMessage): void;
}
