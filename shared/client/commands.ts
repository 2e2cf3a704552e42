/** Commands whose answers go into the store, and those that are shown before they are answered. */
import type { CommandData, CommandName, CommandPayload, Conversation, Group, Message } from './contract.ts';
import type { Store } from './store/store.ts';
import { type Edit, edited, type Optimistic, pinnedBy, reacted, removed } from './views/optimistic.ts';

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
    name: 'message:edit' | 'message:delete' | 'message:react' | 'message:pin',
    payload: CommandPayload<typeof name>,
    how: (message: Message) => Message,
  ): Promise<Message> => {
    const { message_id } = payload;
    return (await optimistic.during(message_id, how, () => call(name, payload))).message;
  };
  return {
    edit: (message_id: string, { content, metadata, mentions }: Edit) =>
      change(
        'message:edit',
        {
          message_id,
          content,
          ...(metadata === undefined ? {} : { metadata }),
          ...(mentions === undefined ? {} : { mentions }),
        },
        edited({ content, ...(metadata ? { metadata } : {}), ...(mentions ? { mentions } : {}) }),
      ),
    pin: (message_id: string, pinned = true) =>
      change('message:pin', { message_id, pinned }, pinnedBy(store.state().me?._id ?? '', pinned)),
    save: (message_id: string, saved = true) => call('message:save', { message_id, saved }),
    follow: (message_id: string, following = true) => call('thread:follow', { message_id, following }),
    remove: (message_id: string) => change('message:delete', { message_id }, removed),
    react: (message_id: string, emoji: string, { remove = false }: { remove?: boolean } = {}) =>
      change(
        'message:react',
        { message_id, emoji, ...(remove ? { remove } : {}) },
        reacted(emoji, store.state().me?._id ?? '', remove),
      ),
  };
}
