/**
 * The conformance kit for clients: a real server behind a way that plays a script of faults, a peer who writes, and a
 * verdict on what the client under test has made of it. docs/client-kit.md says what such a client has to do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, connect as connectDevice, type Device, http, registerMany } from '../support/client.ts';
import { startServerProcess } from '../support/server-process.ts';
import { type Faults, type FaultyWay, type Packet, startFaultyWay } from './faults.ts';
import { judge, type Report, type Seen } from './judge.ts';
import { createPeer, type Said } from './peer.ts';

/** What the client under test is told. */
export interface Task {
  url: string;
  /** `GET` gives `{ "token" }`: a fresh access token. */
  token_url: string;
  /** `POST` of a `Report` ends the run. */
  report_url: string;
  /** To whom it writes `client 1` to `client <count>`, and who writes to it until `end`. */
  peer_id: string;
  count: number;
}

export interface Kit {
  task: Task;
  /** Plays the script. @returns what the client got wrong; nothing where all is well */
  run(): Promise<string[]>;
  close(): Promise<void>;
}

const COUNT = 40;
/** How long a step waits for what the client has to do, in milliseconds. */
const PATIENCE_MS = 60_000;
/** How long a draining server asks to be left alone, in milliseconds. */
const DRAIN_MS = 1500;

export async function startKit(): Promise<Kit> {
  const server = await startServerProcess();
  const [subject, peer] = (await registerMany(server.url, 2)) as [Account, Account];
  const device = await connectDevice(server.url, peer);
  const seen: Seen = { connects: [], readies: 0, early: [], syncs: [], delivered: 0 };
  let report: ((made: Report) => void) | undefined;
  const reported = new Promise<Report>((resolve) => {
    report = resolve;
  });
  const tokens = tokensOf(server.url, subject, () => way.faults.burnedToken);
  let isReady = false;

  function onClient(packet: Packet | 'connects' | 'ready'): void {
    if (packet === 'connects') {
      seen.connects.push(Date.now());
      isReady = false;
    } else if (packet === 'ready') {
      seen.readies++;
      isReady = true;
    } else {
      const [name, payload] = packet.args as [string, Record<string, unknown>];
      if (!isReady) seen.early.push(name);
      if (name === 'sync') seen.syncs.push(payload);
      if (name === 'message:delivered' || name === 'message:read') {
        seen.delivered = Math.max(seen.delivered, Number(payload.up_to_seq));
      }
    }
  }
  const way = await startFaultyWay({
    target: server.url,
    onClient,
    answer({ url }, body) {
      if (url === '/kit/token') return tokens.next().then((token) => ({ token }));
      if (url !== '/kit/report') return undefined;
      const { received = [], thread = [] } = JSON.parse(body) as Partial<Report>;
      report?.({ received, thread });
      return Promise.resolve({});
    },
  });

  return {
    task: {
      url: way.url,
      token_url: `${way.url}/kit/token`,
      report_url: `${way.url}/kit/report`,
      peer_id: peer.id,
      count: COUNT,
    },
    async run() {
      const wrong: string[] = [];
      const said = await play({ way, seen, device, subject, tokens, wrong });
      const made = (await Promise.race([reported, sleep(PATIENCE_MS)])) ?? undefined;
      return [...wrong, ...judge(COUNT, await historyOf(device, subject), made, said, seen)];
    },
    async close() {
      device.close();
      await way.close();
      await server.stop();
    },
  };
}

/** Fresh tokens of one session, never the one that is burned. */
function tokensOf(url: string, { refresh_token: first }: Account, burned: () => string | undefined) {
  let refresh_token = first;
  let last = '';
  let work = Promise.resolve('');
  async function next(): Promise<string> {
    do {
      if (last !== '' && last === burned()) await sleep(1100);
      const { json } = await http(url, 'POST', '/auth/refresh', { body: { refresh_token } });
      refresh_token = json.refresh_token;
      last = json.access_token;
    } while (last === burned());
    return last;
  }
  return {
    next() {
      work = work.then(next);
      return work;
    },
    last: () => last,
  };
}

interface Scene {
  way: FaultyWay;
  seen: Seen;
  device: Device;
  subject: Account;
  tokens: ReturnType<typeof tokensOf>;
  wrong: string[];
}

/** @returns what is to be shown of the peer at last */
async function play({ way, seen, device, subject, tokens, wrong }: Scene): Promise<Said> {
  const peer = createPeer(device, subject);
  const { say } = peer;
  const { faults } = way;
  async function waitFor(what: string, isSo: () => boolean): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; !isSo(); await sleep(20)) {
      if (Date.now() < end) continue;
      wrong.push(what);
      return;
    }
  }
  const back = async (before: number, after: string) =>
    waitFor(`did not come back within ${PATIENCE_MS / 1000} s after ${after}`, () => seen.readies > before);
  const during = async (fault: Partial<Faults>, act: () => Promise<void>) => {
    const usual = { ...faults };
    Object.assign(faults, fault);
    await act();
    Object.assign(faults, usual);
  };

  await waitFor(`did not connect within ${PATIENCE_MS / 1000} s`, () => seen.readies > 0);
  await say(3);
  await during({ double: true }, async () => {
    await say(3);
    await sleep(500);
  });
  faults.swap = true;
  await say(2);
  await peer.changeSome();
  await during({ lateMs: 1000 }, async () => {
    await say(2);
    await sleep(1200);
  });
  for (const lost of ['an acknowledgement', 'another acknowledgement']) {
    const before = seen.readies;
    faults.lostAcks = 1;
    await waitFor('sent nothing more', () => faults.lostAcks === 0);
    await say(3);
    await back(before, `${lost} was lost with its connection`);
  }
  faults.unavailable = 3;
  await waitFor('gave up a send that was answered unavailable', () => faults.unavailable === 0);
  const drained = seen.readies;
  const leftAlone = Date.now() + DRAIN_MS;
  const attempts = seen.connects.length;
  way.say('server:draining', { reconnect_in_ms: DRAIN_MS });
  await sleep(50);
  way.cut();
  await say(3);
  await peer.changeSome();
  await back(drained, 'the server was drained');
  if ((seen.connects[attempts] ?? Number.POSITIVE_INFINITY) < leftAlone - 200) {
    wrong.push(`came back sooner than server:draining asked for (${DRAIN_MS} ms)`);
  }
  const expired = seen.readies;
  faults.burnedToken = tokens.last();
  way.say('session:expired', {});
  await sleep(50);
  way.cut();
  await say(2);
  await back(expired, 'its token had expired (a handshake with the old one is refused)');
  await peer.end();
  return peer.said();
}

async function historyOf(device: Device, { id }: Account): Promise<string[]> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const { messages } = await device.ok('message:history', { recipient_id: id, limit: 200 });
    const sent = messages.filter(({ sender_id }) => sender_id === id).map(({ content }) => content);
    if (new Set(sent).size >= COUNT || Date.now() > end) return sent;
    await sleep(200);
  }
}
