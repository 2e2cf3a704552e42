import { beforeAll, expect, test } from 'vitest';
import { type Account, connect, type Device, register, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const to = (account: Account) => ({ recipient_id: account.id });

async function device(): Promise<Device> {
  return connect(server.url, await register(server.url));
}

async function found(viewer: Device, query: string, over: object = {}): Promise<string[]> {
  const { messages } = await viewer.ok('message:search', { query, ...over });
  return messages.map((message) => message.content);
}

test('finds messages in which every query word begins a word, whatever the case and accents', async () => {
  const [a, b] = [await device(), await device()];
  for (const content of ['Meet me at the Café tomorrow', 'the cafeteria is closed', 'nothing here']) {
    await a.ok('message:send', { ...to(b.account), content });
  }
  expect(await found(b, 'CAFE')).toEqual(['the cafeteria is closed', 'Meet me at the Café tomorrow']);
  expect(await found(b, 'café tom')).toEqual(['Meet me at the Café tomorrow']);
  expect(await found(b, 'afe')).toEqual([]);
  expect(await found(b, 'cafe nowhere')).toEqual([]);
  expect(await found(b, 'the, (closed)!')).toEqual(['the cafeteria is closed']);
  expect(await found(b, '.*')).toEqual([]);
  expect(await found(b, '🎉')).toEqual([]);
});

test('finds emojis, and words in scripts without spaces', async () => {
  const [a, b] = [await device(), await device()];
  const lunch = '明天一起吃饭吧🎉 see 👍🏽 in 🇩🇪';
  const curry = 'カレーを食べた 👍';
  for (const content of [lunch, curry]) await a.ok('message:send', { ...to(b.account), content });
  expect(await found(b, '吃饭')).toEqual([lunch]);
  expect(await found(b, '食べ')).toEqual([curry]);
  expect(await found(b, '🎉')).toEqual([lunch]);
  expect(await found(b, '👍')).toEqual([curry, lunch]);
  expect(await found(b, '🇩🇪 se')).toEqual([lunch]);
  expect(await found(b, '🇫🇷')).toEqual([]);
  expect(await found(b, '吃面')).toEqual([]);
});

test('finds a word inside a sentence of a script without spaces', async () => {
  const [a, b] = [await device(), await device()];
  const sentences = [
    ['人人生而自由，在尊严和权利上一律平等', '权利'],
    ['病院は機能していない', '機能して'],
    ['ฉันชอบกินข้าวเช้า', 'ข้าว'],
    ['ខ្ញុំចង់ទិញថ្នាំនៅផ្សារ', 'ទិញថ្នាំ'],
    ['ຂ້ອຍຢາກກິນເຂົ້າ', 'ກິນ'],
    ['မြန်မာနိုင်ငံရန်ကုန်မြို့', 'ရန်ကုန်'],
    ['ꦧꦱꦗꦮꦲꦏ꧀ꦱꦫ', 'ꦲꦏ꧀ꦱꦫ'],
  ] as const;
  for (const [content] of sentences) await a.ok('message:send', { ...to(b.account), content });
  for (const [content, word] of sentences) expect(await found(b, word)).toEqual([content]);
});

test.each([
  ['Greek with a sigma at its end', 'Ο Κώστας ήρθε', ['ΚΩΣ', 'κως', 'κωστ', 'ΚΏΣΤΑΣ'], ['κωτ']],
  ['German with ß', 'große Straße', ['GROSSE STR', 'strasse', 'straße'], ['strase']],
  ['Turkish with ı and İ', 'ısı İstanbul', ['istan', 'ISI', 'ısı'], ['asi']],
  ['Russian with ё and й', 'мой ёжик', ['ежик', 'МОЙ', 'Ёж'], ['мои']],
  ['Vietnamese', 'Nguyễn Đức', ['nguyen duc', 'Nguyễn Đ'], ['nguyeb']],
  ['Hindi', 'हिन्दी में लिखा', ['हिन्दी', 'हिन', 'लि'], ['हन', 'लख']],
  ['Japanese with voicing marks', 'ガス会社', ['ガス', 'がす', 'ｶﾞｽ'], ['カス']],
  ['Persian from an Arabic keyboard', 'سلام کیمیا', ['كيميا', 'کیم'], ['سیم']],
  ['words beside kana long vowels', 'コーヒーcoffee', ['coffee', 'コーヒー', 'ヒーco'], ['ーof']],
])('folds queries like messages: %s', async (_what, content, finding, missing) => {
  const [a, b] = [await device(), await device()];
  await a.ok('message:send', { ...to(b.account), content });
  for (const query of finding) expect([query, await found(b, query)]).toEqual([query, [content]]);
  for (const query of missing) expect([query, await found(b, query)]).toEqual([query, []]);
});

test('finds the longest text by the words at its beginning, middle and end', async () => {
  const [a, b] = [await device(), await device()];
  const words = Array.from({ length: 2700 }, (_, i) => `w${i.toString(36)}`);
  const filled = `${words.join(' ')} `;
  const content = `${filled}${'-'.repeat(16 * 1024 - filled.length - 6)}ending`;
  await a.ok('message:send', { ...to(b.account), content });
  for (const word of [words[0]!, words[1350]!, words[2699]!, 'ending', 'endi']) {
    expect([word, (await found(b, word)).length]).toEqual([word, 1]);
  }
});

test('searches the caller’s conversations only, or one of them', async () => {
  const [a, b, c] = [await device(), await device(), await device()];
  const { group } = await a.ok('group:create', { name: 'G', member_ids: [b.id] });
  await a.ok('message:send', { ...to(b.account), content: 'pear for b' });
  await a.ok('message:send', { ...to(c.account), content: 'pear for c' });
  await a.ok('message:send', { group_id: group._id, content: 'pear for all' });
  expect(await found(a, 'pear')).toEqual(['pear for all', 'pear for c', 'pear for b']);
  expect(await found(b, 'pear')).toEqual(['pear for all', 'pear for b']);
  expect(await found(c, 'pear')).toEqual(['pear for c']);
  expect(await found(a, 'pear', to(b.account))).toEqual(['pear for b']);
  expect(await found(a, 'pear', { group_id: group._id })).toEqual(['pear for all']);
  expect((await c.refused('message:search', { query: 'pear', group_id: group._id })).code).toBe('not_found');
  await a.ok('group:remove_member', { group_id: group._id, user_id: b.id });
  expect(await found(b, 'pear')).toEqual(['pear for b']);
});

test('never finds tombstones or earlier wordings', async () => {
  const [a, b] = [await device(), await device()];
  const { message: deleted } = await a.ok('message:send', { ...to(b.account), content: 'plum one' });
  const { message: edited } = await a.ok('message:send', { ...to(b.account), content: 'plum two' });
  await a.ok('message:delete', { message_id: deleted._id });
  await a.ok('message:edit', { message_id: edited._id, content: 'apple two' });
  expect(await found(b, 'plum')).toEqual([]);
  expect(await found(b, 'apple')).toEqual(['apple two']);
});

test('finds nothing from before the caller joined', async () => {
  const [a, b] = [await device(), await device()];
  const { group } = await a.ok('group:create', { name: 'G', member_ids: [] });
  await a.ok('message:send', { group_id: group._id, content: 'fig before' });
  await a.ok('group:add_members', { group_id: group._id, user_ids: [b.id] });
  await a.ok('message:send', { group_id: group._id, content: 'fig after' });
  for (const over of [{}, { group_id: group._id }]) expect(await found(b, 'fig', over)).toEqual(['fig after']);
  const { messages } = await a.ok('message:search', { query: 'before' });
  expect((await b.refused('message:search', { query: 'fig', before_id: messages[0]!._id })).code).toBe('not_found');
});

test('pages by before_id through all conversations, newest first and completely', async () => {
  const a = await device();
  const others = await registerMany(server.url, 3);
  const { group } = await a.ok('group:create', { name: 'G', member_ids: others.map((one) => one.id) });
  const targets = [...others.map(to), { group_id: group._id }];
  const sent: string[] = [];
  for (let i = 0; i < 20; i++) {
    const content = `melon ${i}`;
    await a.ok('message:send', { ...targets[i % targets.length]!, content });
    sent.unshift(content);
  }
  const all: string[] = [];
  let before: { before_id?: string } = {};
  for (;;) {
    const { messages, has_more } = await a.ok('message:search', { query: 'melon', limit: 6, ...before });
    all.push(...messages.map((message) => message.content));
    if (!has_more) break;
    before = { before_id: messages.at(-1)!._id };
  }
  expect(all).toEqual(sent);
});

test('refuses an empty or too long query, too high a limit, two targets, and a before_id the caller cannot see', async () => {
  const [a, b, c] = [await device(), await device(), await device()];
  const { message } = await b.ok('message:send', { ...to(c.account), content: 'grape' });
  for (const payload of [
    { query: '' },
    { query: 'x'.repeat(129) },
    { query: 'x', limit: 201 },
    { query: 'x', recipient_id: b.id, group_id: b.id },
    { query: { $gt: '' } },
    {},
  ]) {
    expect((await a.refused('message:search', payload)).code).toBe('validation_failed');
  }
  expect((await a.refused('message:search', { query: 'grape', before_id: message._id })).code).toBe('not_found');
  expect((await a.refused('message:search', { query: 'grape', before_id: 'f'.repeat(24) })).code).toBe('not_found');
});

test('still searches the history with a blocked user', async () => {
  const [a, b] = [await device(), await device()];
  await a.ok('message:send', { ...to(b.account), content: 'quince' });
  await a.ok('contact:block', { user_id: b.id });
  expect(await found(b, 'quince')).toEqual(['quince']);
  expect(await found(a, 'quince', to(b.account))).toEqual(['quince']);
});
