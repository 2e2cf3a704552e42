/** What an app does with both packages; run as JavaScript, and checked by strict TypeScript, in a project of its own. */

import { startLetsApp } from 'letsapp/testing';
import { type ChatMessage, type Client, ClientError, connect, type Live, type Message, session } from 'letsapp-client';
import { type Calls, createCalls } from 'letsapp-client/calls';
import { type CommandPayload, commands, documents } from 'letsapp-client/contract';
import { LetsAppProvider, useMessages, useSend } from 'letsapp-client/react';
import { folder, indexedDb, memory } from 'letsapp-client/storage';

const begun = Date.now();
const server = await startLetsApp();
const readyMs = Date.now() - begun;
const ann = await server.users.create('ann');
const ben = await server.users.create();
const client: Client = ann.client();
const other = connect({
  url: server.url,
  getToken: ben.getToken,
  storage: memory(),
  device_info: { platform: 'test' },
});
const toBen = { recipient_id: ben.user._id };

const isReady = (one: { state: string; on: Client['on'] }) =>
  new Promise<void>((resolve) => {
    if (one.state === 'ready') return resolve();
    const stop = one.on('state', (state) => {
      if (state !== 'ready') return;
      stop();
      resolve();
    });
  });
// The client of the tests is that of the package, as its types say.
const same: Client[] = [client, other];
await Promise.all(same.map(isReady));

const told: string[] = [];
other.on('message:new', ({ message, missed }) => {
  const copy: Message = message;
  const wasMissed: true | undefined = missed;
  told.push(`${copy.content} ${wasMissed ?? false}`);
});
const shown: Live<{ messages: ChatMessage[]; has_older: boolean; loading: boolean }> = client.messages(toBen);
client.send(toBen, { content: 'hello' });
while (told.length < 1) await new Promise((resolve) => setTimeout(resolve, 20));
// @ts-expect-error a target is one of the two
client.messages({ recipient_id: 'x', group_id: 'y' });
// @ts-expect-error and not none
const none = () => client.send({}, { content: 'x' });
// @ts-expect-error so in commands
const untargeted = () => client.call('message:send', { content: 'hi' });
// @ts-expect-error of their names
const unknown = () => client.call('message:sent', { content: 'hi' });
const payload: CommandPayload<'message:read'> = { group_id: 'x', up_to_seq: 3 };
const calls: Calls = createCalls(client);
await client.call('message:send', { ...toBen, content: 'hi' });
const { groups } = await client.call('group:list');
const refusal = await client.call('user:get', { user_id: '0'.repeat(24) }).catch((error: unknown) => error);
while (told.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));

console.log(
  JSON.stringify({
    readyMs,
    told,
    groups,
    code: refusal instanceof ClientError ? refusal.code : refusal,
    shown: shown.get().messages.map(({ content }) => content),
    kinds: [
      none,
      untargeted,
      unknown,
      session,
      LetsAppProvider,
      useMessages,
      useSend,
      folder,
      indexedDb,
      calls.start,
    ].map((each) => typeof each),
    schema: Object.keys(commands['message:send'].payload),
    documents: Object.keys(documents).length > 10,
    payload,
  }),
);
await other.close();
await server.stop();
