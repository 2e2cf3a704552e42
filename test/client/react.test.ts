/** The hooks on a server; browser.test.ts has them in a browser. */
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { beforeAll, expect, it } from 'vitest';
import { LetsAppProvider, useConnection, useConversations, useMessages } from '../../shared/client/react/index.ts';
import { type Account, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { openReady } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});
const pair = async () => (await registerMany(server.url, 2)) as [Account, Account];

it('render on a server', async () => {
  const [a, b] = await pair();
  const client = await openReady(server.url, a);
  client.send({ recipient_id: b.id }, { content: 'hello' });
  function Page() {
    const { messages } = useMessages({ recipient_id: b.id });
    return createElement('p', null, `${useConnection()} ${useConversations().length} ${messages[0]!.content}`);
  }
  const page = createElement(LetsAppProvider, { client }, createElement(Page));
  expect(renderToString(page)).toMatch(/<p>ready [01] hello<\/p>/);
});
