/**
 * A chat program: signs up (or in again), connects, sends numbered messages to a peer and prints what it is sent.
 * It may be killed at any moment: started again, it goes on where it was, and nothing is lost or doubled.
 *
 *   node --import tsx test/examples/chat.ts URL FOLDER NAME PEER [COUNT]
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientError, connect } from 'letsapp-client';
import { request, type StoredSession, tokenSource, toStored } from 'letsapp-client/session';
import type { SignedIn } from '../../shared/contract/accounts.ts';
import type { Message } from '../../shared/contract/documents.ts';

/** Everything that the program has to remember. */
interface State {
  password: string;
  session?: StoredSession;
  /** How many messages were acknowledged. */
  sent: number;
  /** What the peer wrote, by `seq`. */
  received: Record<string, string>;
  revs: Record<string, number>;
}

const [url, folder, name, peer, count = '30'] = process.argv.slice(2);
if (!url || !folder || !name || !peer) throw new Error('usage: chat.ts URL FOLDER NAME PEER [COUNT]');
const total = Number(count);
const file = path.join(folder, `${name}.json`);
const state: State = existsSync(file)
  ? (JSON.parse(readFileSync(file, 'utf8')) as State)
  : { password: randomBytes(16).toString('hex'), sent: 0, received: {}, revs: {} };

/** Written beside and renamed: a kill leaves the old state or the new one. */
function save(): void {
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      // A server that is not there (fetch fails) may come back; a refusal stays one.
      if (!(error instanceof TypeError)) throw error;
      await sleep(500);
    }
  }
}

async function signIn(): Promise<StoredSession> {
  save();
  const credentials = { username: name!, email: `${name}@example.org`, password: state.password };
  const answer = await patiently(() => request<SignedIn>(url!, 'POST', '/auth/register', credentials)).catch(
    (refusal: ClientError) => {
      if (refusal.code !== 'conflict') throw refusal;
      return patiently(() => request<SignedIn>(url!, 'POST', '/auth/login', { login: name, password: state.password }));
    },
  );
  return toStored(answer);
}

state.session ??= await signIn();
save();

const client = connect({
  url,
  getToken: tokenSource(url, state.session, (session) => {
    state.session = session;
    save();
  }),
  device_info: { platform: 'example' },
  revs: state.revs,
});
client.on('closed', ({ code, message }) => {
  if (code === 'unauthenticated') throw new Error(message);
});

function receive(message: Message): void {
  if (!message.content.startsWith(`${peer} `)) return;
  if (!(message.seq in state.received)) console.log(`${name} received: ${message.content}`);
  state.received[message.seq] = message.content;
  state.revs = client.revs;
  save();
}
client.on('message:new', ({ message }) => receive(message));
client.on('sync', ({ conversations }) => {
  for (const { messages } of conversations) messages.forEach(receive);
});
await new Promise<unknown>((resolve) => client.on('session:ready', resolve));

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
while (state.sent < total) {
  const number = state.sent + 1;
  // The id makes a repeat harmless: what was stored before a kill is answered with the first message.
  const client_message_id = `${name}-${number}`;
  await client.call('message:send', { recipient_id, content: `${name} ${number}`, client_message_id });
  state.sent = number;
  save();
  await sleep(60);
}
while (Object.keys(state.received).length < total) await sleep(50);

const expected = Array.from({ length: total }, (_, i) => `${peer} ${i + 1}`);
const received = Object.keys(state.received)
  .map(Number)
  .sort((a, b) => a - b)
  .map((seq) => state.received[seq]);
const complete = JSON.stringify(received) === JSON.stringify(expected);
console.log(`${name}: sent ${state.sent}, received ${received.length}${complete ? ' in order, each once' : ': WRONG'}`);
client.close();
process.exitCode = complete ? 0 : 1;
