/**
 * A chat program: signs up (or in again), connects, sends numbered messages to a peer and prints what it is sent.
 * It may be killed at any moment: started again, it goes on where it was, and nothing is lost or doubled.
 *
 *   node --import tsx test/examples/chat.ts URL FOLDER NAME PEER [COUNT]
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError, connect, session } from '../../shared/client/index.ts';
import { folder } from '../../shared/client/storage/folder.ts';

const [url, parent, name, peer, count = '30'] = process.argv.slice(2);
if (!url || !parent || !name || !peer) throw new Error('usage: chat.ts URL FOLDER NAME PEER [COUNT]');
const total = Number(count);
const storage = folder(path.join(parent, name));
const account = session(url, storage);

/** A server that is not there may come back; a refusal stays one. */
async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'unavailable') throw error;
      await sleep(500);
    }
  }
}

if (!(await account.ready())) {
  const password = `the secret of ${name}`;
  await patiently(() => account.register({ username: name, email: `${name}@example.org`, password })).catch(
    (refusal: ClientError) => {
      if (refusal.code !== 'conflict') throw refusal;
      return patiently(() => account.login({ login: name, password }));
    },
  );
}

const client = connect({ url, getToken: account.getToken, storage, device_info: { platform: 'example' } });
client.on('error', (error) => {
  throw error;
});
client.on('message:new', ({ message }) => {
  if (message.sender_id !== client.me.get()?._id) console.log(`${name} received: ${message.content}`);
});

/** The peer's id, as soon as the peer has signed up. */
async function findPeer(): Promise<string> {
  for (;;) {
    const found = await client.call('user:search', { query: peer! }).catch(() => undefined);
    const user = found?.users.find(({ username }) => username === peer);
    if (user) return user._id;
    await sleep(200);
  }
}

const recipient_id = await findPeer();
const shown = client.messages({ recipient_id });
/** Resolves once what is shown is as wanted. */
function shows(isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!isSo()) return;
      stop();
      resolve();
    };
    const stop = shown.subscribe(look);
    look();
  });
}
const contents = (isOwn: boolean) =>
  shown
    .get()
    .messages.filter(({ state }) => (state !== undefined) === isOwn)
    .map(({ content }) => content);

if (client.state !== 'ready')
  await new Promise<void>((resolve) => client.on('state', (state) => state === 'ready' && resolve()));
while (shown.get().has_older) await patiently(() => client.loadOlder({ recipient_id }));
// What was written before a kill is there already: sent, or waiting in the outbox.
for (let number = contents(true).length + 1; number <= total; number++) {
  client.send({ recipient_id }, { content: `${name} ${number}` });
  await sleep(60);
}
await shows(() => shown.get().messages.every(({ state }) => state !== 'sending') && contents(false).length >= total);

const expected = Array.from({ length: total }, (_, i) => `${peer} ${i + 1}`);
const received = contents(false);
const complete = JSON.stringify(received) === JSON.stringify(expected);
const sent = contents(true).length;
console.log(`${name}: sent ${sent}, received ${received.length}${complete ? ' in order, each once' : ': WRONG'}`);
await client.close();
process.exitCode = complete ? 0 : 1;
