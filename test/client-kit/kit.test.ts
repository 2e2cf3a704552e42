import { io } from 'socket.io-client';
import { it, type TestContext } from 'vitest';
import { startKit, type Task } from './kit.ts';
import { takePart } from './own-client.ts';

const TEST_MS = 400_000;

async function kit({ onTestFinished }: TestContext) {
  const started = await startKit();
  onTestFinished(() => started.close());
  return started;
}

// Both wait for most of their time.
it.concurrent(
  "finds nothing wrong with the project's own client",
  async (context) => {
    const { task, run } = await kit(context);
    const [wrong] = await Promise.all([run(), takePart(task)]);
    context.expect(wrong).toEqual([]);
  },
  TEST_MS,
);

it.concurrent(
  'finds out a client that repeats under no id, sorts nothing, asks no sync and takes replies for messages',
  async (context) => {
    const { expect } = context;
    const { task, run } = await kit(context);
    const [wrong] = await Promise.all([run(), takePartNaively(task, context)]);
    const all = wrong.join('\n');
    expect(all).toContain('sent more than once');
    expect(all).toContain('received more than once');
    expect(all).toContain('received not at all');
    expect(all).toMatch(/received beside that: .*reply 1/);
    expect(all).toContain('received in the thread not at all: reply 1');
    expect(all).toContain('did not ask sync');
    expect(all).toContain('acknowledged no delivery');
  },
  TEST_MS,
);

/** As one writes a client at first. */
async function takePartNaively(task: Task, { onTestFinished }: TestContext): Promise<void> {
  const { url, token_url, report_url, peer_id, count } = task;
  const received: string[] = [];
  const socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    auth: (send) =>
      void fetch(token_url)
        .then((answer) => answer.json() as Promise<{ token: string }>)
        .then(({ token }) => send({ token })),
  });
  onTestFinished(() => void socket.disconnect());
  await new Promise((resolve) => socket.once('session:ready', resolve));
  const ended = new Promise<void>((resolve) => {
    socket.on('message:new', ({ message }) => {
      received.push(message.content);
      if (message.content === 'end') resolve();
    });
  });
  for (let i = 1; i <= count; ) {
    const answer = await socket
      .timeout(3000)
      .emitWithAck('message:send', { recipient_id: peer_id, content: `client ${i}` })
      .catch(() => undefined);
    if (answer?.ok) i++;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await ended;
  await fetch(report_url, { method: 'POST', body: JSON.stringify({ received }) });
}
