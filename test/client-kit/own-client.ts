/** The project's own client, as the kit tries it: `node --import tsx test/client-kit/own-client.ts '<the task as JSON>'`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChatMessage, type Client, connect } from '../../shared/client/index.ts';
import type { Report } from './judge.ts';
import type { Task } from './kit.ts';

export async function takePart({ url, token_url, report_url, peer_id, count }: Task): Promise<void> {
  const target = { recipient_id: peer_id };
  const client = connect({
    url,
    getToken: async () => ((await (await fetch(token_url)).json()) as { token: string }).token,
  });
  const messages = client.messages(target);
  const theirs = () =>
    messages.get().messages.filter(({ sender_id, is_deleted }) => sender_id === peer_id && !is_deleted);
  for (let i = 1; i <= count; i++) {
    client.send(target, { content: `client ${i}` });
    await sleep(150);
  }
  const isDone = () =>
    theirs().at(-1)?.content === 'end' &&
    messages.get().messages.every(({ state }) => state !== 'sending' && state !== 'failed');
  while (!isDone()) await sleep(50);
  const report: Report = { received: texts(theirs()), thread: texts(await repliesTo(client, theirs()[0]!._id)) };
  await fetch(report_url, { method: 'POST', body: JSON.stringify(report) });
  await client.close();
}

const texts = (some: ChatMessage[]) => some.map(({ content }) => content);

/** All that is in the thread of a message. */
async function repliesTo(client: Client, message_id: string): Promise<ChatMessage[]> {
  const thread = client.thread(message_id);
  for (;;) {
    const { root, messages } = thread.get();
    if (root?.thread && messages.length === root.thread.reply_count) return messages;
    await sleep(50);
  }
}

if (process.argv[2]?.startsWith('{')) await takePart(JSON.parse(process.argv[2]) as Task);
