/** What sign-ins cost those who write meanwhile. */
import { http } from '../../support/client.ts';
import { inTurns } from '../bench.ts';
import { compared, percentile } from '../measurement.ts';
import { latencies } from '../open-loop.ts';
import type { Part } from '../part.ts';
import type { LetsApp } from '../sides.ts';

const PER_SECOND = 1000;
const SECONDS = 6;
const BETWEEN_MS = 200;

export const signins: Part = {
  about: '1,000 messages a second, in turns without and with 5 sign-ins a second at cost 12',
  rows: {
    p99: {
      what: 'acknowledgement p99 at 1,000/s during 5 sign-ins/s at cost 12',
      unit: 'ms',
      against: 'without them',
      target: { of: 'ratio', atMost: 1.5 },
    },
  },
  async run(bench) {
    const app = await bench.app();
    await app.populate(64);
    await app.restart({ BCRYPT_COST: '12' });
    const { signIn, tally } = await signInsOf(app);
    // After the server's code is warm: a p99 is made by what happens now and then.
    await latencies(app, PER_SECOND, SECONDS);
    const p99 = async () => percentile(await latencies(app, PER_SECOND, SECONDS), 0.99);
    const rounds = await inTurns(p99, async () => {
      const timer = setInterval(signIn, BETWEEN_MS);
      return p99().finally(() => clearInterval(timer));
    });
    await app.restart();
    return {
      measurements: { p99: compared(rounds.map(([against, measured]) => ({ against, measured }))) },
      notes: [`${tally.signedIn} of ${tally.offered} sign-ins were answered in the time.`],
    };
  },
};

async function signInsOf(app: LetsApp) {
  const [username, password] = [`bench-signin-${Date.now().toString(36)}`, 'Correct-horse-9'];
  const account = { username, email: `${username}@example.org`, password };
  await http(app.url, 'POST', '/auth/register', { body: account });
  const tally = { offered: 0, signedIn: 0 };
  const signIn = () => {
    tally.offered++;
    http(app.url, 'POST', '/auth/login', { body: { login: username, password } }).then(
      ({ status }) => {
        if (status === 200) tally.signedIn++;
      },
      // Those still under way at the end are cut off with the server; they show as not answered.
      () => {},
    );
  };
  return { tally, signIn };
}
