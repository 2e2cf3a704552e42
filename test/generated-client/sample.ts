/** What a user of the published document writes: a client by its types. Arguments: the server's URL. */
import createClient, { type Middleware } from 'openapi-fetch';
import type { components, paths } from './api.js';

const baseUrl = process.argv[2] ?? '';

function signedInAs(token: string) {
  const client = createClient<paths>({ baseUrl });
  const bearer: Middleware = {
    onRequest({ request }) {
      request.headers.set('authorization', `Bearer ${token}`);
      return request;
    },
  };
  client.use(bearer);
  return client;
}

async function register(username: string): Promise<components['schemas']['SignedIn']> {
  const body = { username, email: `${username}@example.test`, password: 'correct horse battery' };
  const { data, error } = await createClient<paths>({ baseUrl }).POST('/auth/register', { body });
  if (!data) throw new Error(error.error.message);
  return data;
}

const serial = Date.now().toString(36);
const ann = await register(`ann${serial}`);
const bob = await register(`bob${serial}`);
const api = signedInAs(ann.access_token);

const sent = await api.POST('/api/message/send', {
  body: { recipient_id: bob.user._id, content: 'From a generated client', client_message_id: 'one' },
});
const listed = await api.POST('/api/conversation/list', { body: { limit: 10 } });
const uploaded = await api.POST('/files', {
  body: { file: new File(['From a generated client'], 'note.txt') },
  bodySerializer({ file }) {
    const form = new FormData();
    form.set('file', file as File);
    return form;
  },
});
const id = uploaded.data?.file._id ?? '';
const known = await api.GET('/files/{id}/info', { params: { path: { id } } });
const read = await api.GET('/files/{id}', { params: { path: { id } }, parseAs: 'text' });

const refused = await api.POST('/api/message/send', { body: { recipient_id: ann.user._id, content: 'To oneself' } });
// Typed: any of the contract's codes, and nothing else.
const code: 'validation_failed' | 'not_found' | 'forbidden' | undefined =
  refused.error?.error.code === 'validation_failed' ? refused.error.error.code : undefined;
// @ts-expect-error no code of the contract
const unknown = refused.error?.error.code === 'no_such_code';

export async function mistakes(): Promise<void> {
  // @ts-expect-error a message needs a text
  await api.POST('/api/message/send', { body: { recipient_id: bob.user._id } });
  // @ts-expect-error a message needs a target
  await api.POST('/api/message/send', { body: { content: 'To nobody' } });
  // @ts-expect-error no command of HTTP: it belongs to a device
  await api.POST('/api/call/accept', { body: { call_id: bob.user._id } });
  // @ts-expect-error a user has no such field
  ann.user.password;
}

process.stdout.write(
  JSON.stringify({
    seq: sent.data?.data.message.seq,
    last: listed.data?.data.conversations[0]?.last_message?.content,
    filename: known.data?.file.original_filename,
    text: read.data,
    code,
    status: refused.response.status,
    unknown,
  }),
);
