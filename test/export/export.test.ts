import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uploaded } from '../media/client.ts';
import { connect, type Device, http, registerMany } from '../support/client.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { runTool, type ToolRun } from '../support/tool.ts';

/** A picture of one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
/** Whatever `MONGODB_URL` the tests run with. */
const OWN_DATABASE = { MONGODB_URL: '' };

let folder: string;
let server: ServerProcess;
let ann: Device;
let bob: Device;
let cem: Device;
let made: ToolRun;
let groupId: string;

const exporting = (...args: string[]) => runTool(['export', ...args], { ...OWN_DATABASE, DATA_DIR: server.dataDir });

/** The objects of a list. */
async function list(name: string) {
  const text = await readFile(path.join(folder, 'ann', `${name}.jsonl`), 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function live(): Promise<void> {
  await ann.ok('contact:request', { user_id: bob.id });
  await bob.ok('contact:accept', { user_id: ann.id });
  await cem.ok('contact:block', { user_id: ann.id });
  const { group } = await bob.ok('group:create', { name: 'Choir', member_ids: [ann.id, cem.id] });
  groupId = group._id;
  const own = await uploaded(server.url, ann.account, '/media', PNG, '../../etc/own.png');
  const received = await uploaded(server.url, bob.account, '/files', 'from bob', 'letter.txt');
  const { message } = await ann.ok('message:send', { recipient_id: bob.id, content: 'frist' });
  await ann.ok('message:edit', { message_id: message._id, content: 'first' });
  const image = { content: '', message_type: 'image' as const, attachment: { media_id: own._id } };
  await ann.ok('message:send', { recipient_id: bob.id, ...image });
  const letter = { content: '', message_type: 'document' as const, attachment: { media_id: received._id } };
  await bob.ok('message:send', { recipient_id: ann.id, ...letter });
  await bob.ok('message:send', { recipient_id: ann.id, content: 'received by ann' });
  await ann.ok('message:send', { group_id: groupId, content: 'sung by ann' });
  const sung = await bob.ok('message:send', { group_id: groupId, content: 'sung by bob' });
  await ann.ok('message:react', { message_id: sung.message._id, emoji: '👏' });
  await ann.ok('message:save', { message_id: sung.message._id, saved: true });
  await bob.ok('message:send', { recipient_id: cem.id, content: 'between bob and cem' });
  await ann.ok('conversation:update', { recipient_id: bob.id, draft: 'begun to be written' });
  const { call } = await ann.ok('call:initiate', { recipient_id: bob.id, call_type: 'voice' });
  await ann.ok('call:end', { call_id: call._id });
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'letsapp-export-'));
  server = await startServerProcess({ env: OWN_DATABASE });
  const accounts = await registerMany(server.url, 3);
  [ann, bob, cem] = (await Promise.all(accounts.map((account) => connect(server.url, account)))) as [
    Device,
    Device,
    Device,
  ];
  await http(server.url, 'PATCH', '/users/me', { token: ann.account.access_token, body: { bio: 'lives somewhere' } });
  await live();
  made = await exporting('--user', ann.id, '--to', path.join(folder, 'ann'));
});
afterAll(async () => {
  for (const device of [ann, bob, cem]) device.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('an export', () => {
  it('holds what is stored of the user, and says what each list holds', async () => {
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const about = JSON.parse(await readFile(path.join(folder, 'ann', 'export.json'), 'utf8'));
    expect(about.user_id).toBe(ann.id);
    for (const [name, { count, holds }] of Object.entries<{ count: number; holds: string }>(about.lists)) {
      expect(holds).toBeTruthy();
      expect(await list(name.replace('.jsonl', ''))).toHaveLength(count);
    }
    expect(await list('profile')).toMatchObject([{ _id: ann.id, email: ann.account.email, bio: 'lives somewhere' }]);
    expect(await list('sessions')).toMatchObject([{ session_id: ann.account.session_id }]);
    expect(await list('contacts')).toMatchObject([{ contact_id: bob.id, status: 'accepted' }]);
    expect(await list('groups')).toMatchObject([{ group_id: groupId, is_admin: false, is_creator: false }]);
    expect((await list('conversations')).map(({ kind }) => kind).sort()).toEqual(['direct', 'group']);
    expect(await list('revisions')).toMatchObject([{ content: 'frist' }]);
    expect(await list('group-reactions')).toMatchObject([{ emoji: '👏' }]);
    expect(await list('drafts')).toMatchObject([{ content: 'begun to be written' }]);
    expect(await list('calls')).toMatchObject([{ caller_id: ann.id, call_type: 'voice' }]);
    expect(await list('saved')).toHaveLength(1);
  });

  it('holds conversations of two in order, both ways, and of groups what the user sent', async () => {
    const messages = await list('messages');
    expect(messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(messages.map(({ content }) => content)).toEqual(['first', '', '', 'received by ann']);
    expect((await list('group-messages')).map(({ content }) => content)).toEqual(['sung by ann']);
  });

  it('holds the bytes of uploads that were sent or received, under names of its own', async () => {
    const uploads = await list('uploads');
    const files = await readdir(path.join(folder, 'ann', 'uploads'));
    expect(uploads.map((one) => path.basename(one.path)).sort()).toEqual(files.sort());
    const contents = await Promise.all(files.map((name) => readFile(path.join(folder, 'ann', 'uploads', name))));
    expect(contents.map((bytes) => bytes.toString('latin1')).some((text) => text === 'from bob')).toBe(true);
    expect(contents.some((bytes) => bytes.subarray(1, 4).toString() === 'PNG')).toBe(true);
    for (const name of files) expect(name).toMatch(/^[0-9a-f]{24}\.\w+$/);
  });

  it('holds no secrets, nothing between others, nothing of others in groups, and not who blocks the user', async () => {
    const names = (await readdir(path.join(folder, 'ann'))).filter((name) => name.endsWith('.jsonl'));
    const text = (await Promise.all(names.map((name) => readFile(path.join(folder, 'ann', name), 'utf8')))).join('');
    for (const secret of [
      '$2',
      'token',
      'password":',
      'between bob and cem',
      'sung by bob',
      'blocked"',
      bob.account.email,
    ]) {
      expect(text).not.toContain(secret);
    }
    expect((await stat(path.join(folder, 'ann'))).mode & 0o777).toBe(0o700);
    for (const name of names) expect((await stat(path.join(folder, 'ann', name))).mode & 0o077).toBe(0);
  });

  it('is refused for nobody, and where something is', async () => {
    const nobody = await exporting('--user', '0'.repeat(24), '--to', path.join(folder, 'nobody'));
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringMatching(/^letsapp: there is no user .*\n$/) });
    const full = await exporting('--user', ann.id, '--to', path.join(folder, 'ann'));
    expect(full).toMatchObject({ code: 1, stderr: expect.stringMatching(/^letsapp: .* must be empty.*\n$/) });
    expect((await exporting('--user', 'ann')).code).toBe(1);
    expect(await readdir(folder)).toEqual(['ann']);
  });
});
