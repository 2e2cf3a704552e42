/**
 * `npm run bench -- [parts]`: the server against a bare Socket.IO relay, both in processes of their own, the load in
 * this one, in one run on one machine. Only the ratios mean something elsewhere. Parts: see below; none means all.
 * With MONGODB_URL the server stores there instead of in the embedded development database.
 */
import { http } from '../support/client.ts';
import { durableCommit, fillConversation, pageTimes } from './database.ts';
import { atLeast, atMost, noted, percentile, print, type Row } from './figures.ts';
import { listTime, syncAll, writeTo } from './lists.ts';
import { connectionRate, connectMany, groupTimes, latencies, memoryPerConnection, throughput } from './load.ts';
import { media } from './media.ts';
import { benchNodes } from './nodes.ts';
import { type LetsApp, type Side, startLetsApp, startRelay } from './sides.ts';

const PARTS: Record<string, (app: LetsApp, relay: Side) => Promise<Row[]>> = {
  async throughput(app, relay) {
    await app.populate(64);
    const bare = await throughput(relay);
    const ours = await throughput(app);
    await app.metric('letsapp_event_loop_delay_p99_seconds');
    await latencies(app, ours * 0.7, 5, () => app.metric('letsapp_event_loop_delay_p99_seconds'));
    const delay = (await app.metric('letsapp_event_loop_delay_p99_seconds')) * 1000;
    return [
      atLeast('durable, ordered pair messages per second', bare, ours, 0.5, '/s'),
      atMost('event-loop delay p99 at 0.7 of that, against 20 ms', 20, delay, 1, 'ms'),
    ];
  },

  async latency(app, relay) {
    await app.populate(64);
    const commit = await durableCommit(app.databaseUrl);
    const bare = await latencies(relay, 1000, 8);
    const ours = await latencies(app, 1000, 8);
    console.log(`one durable commit of the database: ${commit.toFixed(2)} ms (p50)`);
    return [
      atMost('acknowledgement p50 at 1,000/s, against a commit + 1 ms', commit + 1, percentile(ours, 0.5), 1, 'ms'),
      noted('acknowledgement p99 at 1,000/s, against the relay', percentile(bare, 0.99), percentile(ours, 0.99), 'ms'),
    ];
  },

  async signins(app) {
    await app.populate(64);
    await app.restart({ BCRYPT_COST: '12' });
    const [username, password] = [`bench-signin-${Date.now().toString(36)}`, 'Correct-horse-9'];
    const account = { username, email: `${username}@example.org`, password };
    await http(app.url, 'POST', '/auth/register', { body: account });
    let [offered, signedIn] = [0, 0];
    const signIn = async () => {
      offered++;
      const { status } = await http(app.url, 'POST', '/auth/login', { body: { login: username, password } });
      if (status === 200) signedIn++;
    };
    // In turns, and after the server's code is warm: a p99 is made by what happens now and then.
    await latencies(app, 1000, 10);
    const [without, during]: [number[], number[]] = [[], []];
    for (let turn = 0; turn < 3; turn++) {
      without.push(...(await latencies(app, 1000, 8)));
      const timer = setInterval(() => void signIn().catch(() => {}), 200);
      during.push(...(await latencies(app, 1000, 8)));
      clearInterval(timer);
      console.log(`${signedIn} of ${offered} sign-ins were answered so far`);
    }
    await app.restart();
    const [before, meanwhile] = [percentile(without, 0.99), percentile(during, 0.99)];
    return [
      atMost('acknowledgement p99 during 5 sign-ins/s at cost 12, against without', before, meanwhile, 1.5, 'ms'),
    ];
  },

  async connections(app, relay) {
    await app.populate(1000);
    return [
      atLeast('connections per second', await connectionRate(relay, 1000), await connectionRate(app, 1000), 0.5, '/s'),
    ];
  },

  async memory(app, relay) {
    await app.populate(2000);
    const bare = (await memoryPerConnection(relay, 2000)) / 1024;
    const ours = (await memoryPerConnection(app, 2000)) / 1024;
    return [atMost('memory per idle connection', bare, ours, 1.3, 'KiB')];
  },

  async group(app, relay) {
    await app.populate(1000);
    const bareSockets = await connectMany(relay, 0, 1000);
    const bare = await groupTimes(relay, bareSockets, 60, (socket) =>
      socket.emit('send', { to: 'group', content: 'to all of the group' }, () => {}),
    );
    for (const socket of bareSockets) socket.disconnect();
    const member_ids = app.accounts.slice(1, 1000).map(({ id }) => id);
    const creator = await app.connect(0);
    const created = await creator.emitWithAck('group:create', { name: 'bench', member_ids });
    creator.disconnect();
    const group_id = created.data.group._id as string;
    const sockets = await connectMany(app, 0, 1000);
    const ours = await groupTimes(app, sockets, 60, (socket) =>
      socket.emit('message:send', { group_id, content: 'to all of the group' }, () => {}),
    );
    for (const socket of sockets) socket.disconnect();
    const title = 'group of 1,000: time per recipient, against a bare room';
    return [atMost(title, percentile(bare, 0.5), percentile(ours, 0.5), 1.3, 'µs')];
  },

  async lists(app) {
    await app.populate(2002);
    const since = new Date(Date.now() - 60_000).toISOString();
    await writeTo(app, 0, 2, 20, 1);
    await writeTo(app, 1, 2, 2000, 3);
    const [few, many] = [await app.connect(0), await app.connect(1)];
    const listed = atMost(
      'page of conversation:list at 2,000 conversations, against 20',
      await listTime(few),
      await listTime(many),
      2,
      'ms',
    );
    const { ms, answers, messages } = await syncAll(many, since);
    console.log(`sync of ${messages} missed messages in 2,000 conversations: ${answers} answers, ${ms.toFixed(0)} ms`);
    few.disconnect();
    many.disconnect();
    return [listed];
  },

  media: (app) => media(app),
  nodes: () => benchNodes(),

  history: (app) => historyAgainst(app, 100_000, 10),
  // Takes minutes to fill: only when it is named.
  million: (app) => historyAgainst(app, 1_000_000, 13),
};

/** Pages of a long conversation against those of one with 1,000 messages. */
async function historyAgainst(app: LetsApp, messages: number, user: number): Promise<Row[]> {
  await app.populate(64);
  await fillConversation(app, user, user + 1, 1000);
  await fillConversation(app, user, user + 2, messages);
  const socket = await app.connect(user);
  const [short, long] = await pageTimes(socket, [
    { recipient_id: app.accounts[user + 1]!.id, messages: 1000 },
    { recipient_id: app.accounts[user + 2]!.id, messages },
  ]);
  socket.disconnect();
  const title = `at ${messages.toLocaleString('en')} messages, against 1,000`;
  return [
    atMost(`newest page of history ${title}`, short!.newest, long!.newest, 1.2, 'ms'),
    atMost(`page in the middle ${title}`, short!.middle, long!.middle, 1.2, 'ms'),
  ];
}

const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !(part in PARTS));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  process.exit(1);
}
const parts = asked.length > 0 ? asked : Object.keys(PARTS).filter((part) => part !== 'million');
const app = await startLetsApp();
const relay = await startRelay();
const rows: Row[] = [];
try {
  for (const part of parts) {
    console.log(`measuring: ${part}`);
    rows.push(...(await PARTS[part]!(app, relay)));
  }
} finally {
  await app.stop();
  await relay.stop();
}
print(rows);
process.exit(0);
