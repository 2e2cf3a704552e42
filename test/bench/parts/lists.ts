/** What a user with many conversations waits for: the list, and `sync` after a day away. */
import { inTurns } from '../bench.ts';
import { connectDevice, disconnect } from '../devices.ts';
import { listTime, syncAll, writeTo } from '../many-conversations.ts';
import { compared } from '../measurement.ts';
import type { Part } from '../part.ts';
import { number } from '../written.ts';

const FEW = 20;
const MANY = 2000;

export const lists: Part = {
  about: 'A user with 20 conversations and one with 2,000, in which 3 messages each were missed',
  rows: {
    page: {
      what: 'page of `conversation:list` at 2,000 conversations',
      unit: 'ms',
      against: '20 conversations',
      target: { of: 'ratio', atMost: 2 },
    },
  },
  async run(bench) {
    // Users of other parts have other conversations, too.
    const app = await bench.ownApp();
    await app.populate(MANY + 2);
    const since = new Date(Date.now() - 60_000).toISOString();
    await writeTo(app, 0, FEW, 1);
    await writeTo(app, 1, MANY, 3);
    const [few, many] = [await connectDevice(app, 0), await connectDevice(app, 1)];
    const rounds = await inTurns(
      () => listTime(few),
      () => listTime(many),
    );
    const { ms, answers, messages } = await syncAll(many, since);
    disconnect([few, many]);
    return {
      measurements: { page: compared(rounds.map(([against, measured]) => ({ against, measured }))) },
      notes: [
        `\`sync\` of ${number(messages)} missed messages in 2,000 conversations: ${answers} answers, ${number(ms)} ms.`,
      ],
    };
  },
};
