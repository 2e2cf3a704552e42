/** Commands whose answers go into the store, and those that are shown before they are answered. */
import type { CommandData, CommandName, CommandPayload, Conversation, Group, Message } from './contract.ts';
import type { Store } from './store/store.ts';
import { edited, type Optimistic, reacted, removed } from './views/optimistic.ts';

export type Call = <N extends CommandName>(name: N, payload: CommandPayload<N>) => Promise<CommandData<N>>;

/**
 * @param onTouched told the conversation that an answer is about
 * @returns carries out a command and takes what its answer carries
 */
export function createCall(ask: Call, store: Store, onTouched: (conversationId: string) => void): Call {
  return async (name, payload) => {
    const data = await ask(name, payload);
    store.apply({ answer: name, payload, data });
    const { message, conversation, group } = data as { message?: Message; conversation?: Conversation; group?: Group };
    const touched = (message ?? conversation)?.conversation_id ?? (group?.is_active ? group._id : undefined);
    if (touched !== undefined) onTouched(touched);
    return data;
  };
}

/** Changes of messages that show at once. */
export function createChanges(call: Call, store: Store, optimistic: Optimistic) {
  const change = async (
    name: 'message:edit' | 'message:delete' | 'message:react',
    payload: CommandPayload<typeof name>,
    how: (message: Message) => Message,
  ): Promise<Message> => {
    const { message_id } = payload;
    return (await optimistic.during(message_id, how, () => call(name, payload))).message;
  };
  return {
    edit: (message_id: string, { content, metadata }: { content: string; metadata?: Record<string, unknown> }) =>
      change(
        'message:edit',
        { message_id, content, ...(metadata === undefined ? {} : { metadata }) },
        edited(content, metadata),
      ),
    remove: (message_id: string) => change('message:delete', { message_id }, removed),
    react: (message_id: string, emoji: string, { remove = false }: { remove?: boolean } = {}) =>
      change(
        'message:react',
        { message_id, emoji, ...(remove ? { remove } : {}) },
        reacted(emoji, store.state().me?._id ?? '', remove),
      ),
  };
}
