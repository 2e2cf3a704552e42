/** The peer who writes to the client under test, and knows what that client must show at last. */
import type { Account, Device } from '../support/client.ts';

/** Texts that are to be shown, in their order. */
export interface Said {
  conversation: string[];
  /** The thread on the peer's first message. */
  thread: string[];
}

export interface Peer {
  /** Writes `peer N`, so many times. */
  say(count: number): Promise<void>;
  /**
   * What a conversation lives through: replies in a thread, one of which is shown in the conversation as well and one that
   * names the client; an edit, a deletion, a pin, a forwarded message.
   */
  changeSome(): Promise<void>;
  /** Writes `end`. */
  end(): Promise<void>;
  said(): Said;
}

interface Text {
  id: string;
  content: string;
}

export function createPeer(device: Device, subject: Account): Peer {
  let conversation: Text[] = [];
  const thread: Text[] = [];
  let [written, replies] = [0, 0];

  async function send(content: string, over: object = {}): Promise<Text> {
    const { message } = await device.ok('message:send', { recipient_id: subject.id, content, ...over });
    return { id: message._id, content };
  }
  async function say(count: number, over: object = {}): Promise<void> {
    for (let i = 0; i < count; i++) conversation.push(await send(`peer ${++written}`, over));
  }

  return {
    say: (count) => say(count),
    async changeSome() {
      const thread_id = conversation[0]!.id;
      thread.push(await send(`reply ${++replies}`, { thread_id }));
      await say(1, { thread_id, in_conversation: true });
      thread.push(conversation.at(-1)!);
      thread.push(await send(`reply ${++replies}`, { thread_id, mentions: { user_ids: [subject.id] } }));

      const [, edited, deleted, pinned] = conversation as [Text, Text, Text, Text];
      edited.content += ', edited';
      await device.ok('message:edit', { message_id: edited.id, content: edited.content });
      await device.ok('message:delete', { message_id: deleted.id });
      conversation = conversation.filter((one) => one !== deleted);
      await device.ok('message:pin', { message_id: pinned.id, pinned: true });
      const { message } = await device.ok('message:send', { recipient_id: subject.id, forward_of: pinned.id });
      // Its text is another's: an edit makes it one that is told apart.
      const forwarded = { id: message._id, content: `forwarded ${replies}` };
      await device.ok('message:edit', { message_id: forwarded.id, content: forwarded.content });
      conversation.push(forwarded);
    },
    async end() {
      conversation.push(await send('end'));
    },
    said() {
      const texts = (some: Text[]) => some.map(({ content }) => content);
      return { conversation: texts(conversation), thread: texts(thread) };
    },
  };
}
