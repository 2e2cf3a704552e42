/** The project's own client, as the kit tries it: `node --import tsx test/client-kit/own-client.ts '<the task as JSON>'`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../shared/client/index.ts';
import type { Task } from './kit.ts';

export async function takePart({ url, token_url, report_url, peer_id, count }: Task): Promise<void> {
  const target = { recipient_id: peer_id };
  const client = connect({
    url,
    getToken: async () => ((await (await fetch(token_url)).json()) as { token: string }).token,
  });
  const messages = client.messages(target);
  const theirs = () =>
    messages
      .get()
      .messages.filter(({ sender_id }) => sender_id === peer_id)
      .map(({ content }) => content);
  for (let i = 1; i <= count; i++) {
    client.send(target, { content: `client ${i}` });
    await sleep(150);
  }
  const isDone = () =>
    theirs().at(-1) === 'end' &&
    messages.get().messages.every(({ state }) => state !== 'sending' && state !== 'failed');
  while (!isDone()) await sleep(50);
  await fetch(report_url, { method: 'POST', body: JSON.stringify({ received: theirs() }) });
  await client.close();
}

if (process.argv[2]?.startsWith('{')) await takePart(JSON.parse(process.argv[2]) as Task);
