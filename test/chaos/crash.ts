/**
 * Kills a server without warning while 64 devices write, starts it again on the same data, and compares what was
 * acknowledged with what is there. `npm run crash-test -- [rounds]` for many rounds; the tests do a few.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Account, connect, register } from '../support/client.ts';
import { startServerProcess } from '../support/server-process.ts';

const WRITERS = 64;
/** Users; two devices of one write into conversations that both sides write. */
const USERS = 8;

export interface CrashReport {
  acknowledged: number;
  stored: number;
  lost: string[];
  doubled: string[];
  /** Conversations whose `seq` or `rev` is not 1, 2, 3 … */
  gaps: string[];
}

/**
 * @param rounds how often the server is killed
 * @param onRound told after each round what the comparison found
 */
export async function crash(
  rounds: number,
  onRound: (round: number, report: CrashReport) => void = () => {},
): Promise<CrashReport> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'letsapp-crash-'));
  let server = await startServerProcess({ dataDir });
  try {
    const accounts = await Promise.all(Array.from({ length: USERS }, () => register(server.url)));
    const acknowledged = new Map<string, string>();
    const pending = new Map<string, { from: number; to: number }>();
    let report: CrashReport = { acknowledged: 0, stored: 0, lost: [], doubled: [], gaps: [] };
    for (let round = 1; round <= rounds; round++) {
      await write(server, accounts, round, acknowledged, pending);
      server = await startServerProcess({ dataDir });
      await repeat(server.url, accounts, acknowledged, pending);
      report = await compare(server.url, accounts, acknowledged);
      onRound(round, report);
    }
    return report;
  } finally {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Lets all devices write until a random moment, at which the server is killed. */
async function write(
  server: Awaited<ReturnType<typeof startServerProcess>>,
  accounts: Account[],
  round: number,
  acknowledged: Map<string, string>,
  pending: Map<string, { from: number; to: number }>,
): Promise<void> {
  const devices = await Promise.all(
    Array.from({ length: WRITERS }, (_, i) => connect(server.url, accounts[i % USERS]!)),
  );
  const writing = devices.map(async (device, writer) => {
    const { socket } = device;
    const from = writer % USERS;
    const to = (from + 1 + Math.floor(writer / USERS)) % USERS;
    const gone = new Promise<undefined>((resolve) => socket.once('disconnect', () => resolve(undefined)));
    for (let i = 0; to !== from && socket.connected; i++) {
      const client_message_id = `${round}.${writer}.${i}`;
      pending.set(client_message_id, { from, to });
      const payload = { recipient_id: accounts[to]!.id, content: client_message_id, client_message_id };
      const answer = await Promise.race([device.ok('message:send', payload).catch(() => gone), gone]);
      if (!answer) break;
      acknowledged.set(client_message_id, answer.message._id);
      pending.delete(client_message_id);
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 700));
  await server.kill();
  await Promise.all(writing);
  for (const device of devices) device.close();
}

/** What was not acknowledged is sent again, as a client does. */
async function repeat(
  url: string,
  accounts: Account[],
  acknowledged: Map<string, string>,
  pending: Map<string, { from: number; to: number }>,
): Promise<void> {
  const devices = await Promise.all(accounts.map((account) => connect(url, account)));
  await Promise.all(
    [...pending].map(async ([client_message_id, { from, to }]) => {
      const { message } = await devices[from]!.ok('message:send', {
        recipient_id: accounts[to]!.id,
        content: client_message_id,
        client_message_id,
      });
      acknowledged.set(client_message_id, message._id);
    }),
  );
  pending.clear();
  for (const device of devices) device.close();
}

async function compare(url: string, accounts: Account[], acknowledged: Map<string, string>): Promise<CrashReport> {
  const stored = new Map<string, string>();
  const doubled: string[] = [];
  const gaps: string[] = [];
  for (const [at, account] of accounts.entries()) {
    const device = await connect(url, account);
    for (const peer of accounts.slice(at + 1)) {
      const revs: number[] = [];
      for (let after_seq = 0, more = true; more; ) {
        const page = await device.ok('message:history', { recipient_id: peer.id, after_seq, limit: 200 });
        for (const { _id, seq, rev, client_message_id } of page.messages) {
          if (seq !== after_seq + 1) gaps.push(`${account.id}-${peer.id}: ${seq} after ${after_seq}`);
          after_seq = seq;
          revs.push(rev);
          if (stored.has(client_message_id!)) doubled.push(client_message_id!);
          stored.set(client_message_id!, _id);
        }
        more = page.has_more;
      }
      if (revs.some((rev, i) => rev !== i + 1)) gaps.push(`${account.id}-${peer.id}: rev`);
    }
    device.close();
  }
  const lost = [...acknowledged].filter(([id, message]) => stored.get(id) !== message).map(([id]) => id);
  return { acknowledged: acknowledged.size, stored: stored.size, lost, doubled, gaps };
}

if (process.argv[1] === import.meta.filename) {
  const rounds = Number(process.argv[2] ?? 20);
  const report = await crash(rounds, (round, { acknowledged, stored, lost, doubled, gaps }) => {
    console.log(
      `round ${round}: ${acknowledged} acknowledged, ${stored} stored, ` +
        `${lost.length} lost, ${doubled.length} doubled, ${gaps.length} gaps`,
    );
  });
  process.exitCode = report.lost.length + report.doubled.length + report.gaps.length === 0 ? 0 : 1;
}
