/** Everybody in a group at once: who is refused, how long it takes, and what others feel of it. */
import { ROUNDS } from '../bench.ts';
import { createGroup } from '../groups.ts';
import { compared, type Measurement, median } from '../measurement.ts';
import type { Part, Table } from '../part.ts';
import { connectManyRaw } from '../raw-device.ts';
import type { LetsApp, Side } from '../sides.ts';
import { number } from '../written.ts';
import { announce, KINDS, type Kind, type Storm, storm } from './storm.ts';

const SIZES = [300, 1000] as const;
/** Allowed where ten times the relay is less. */
const ALLOWED_MS = 1500;
/** A reaction of each of 1,000 members is a million packets of the relay: there 1.5 s alone are allowed. */
const MOST_PACKETS = 500_000;

export const storms: Part = {
  about: 'All members of a group of 300 and of 1,000 acknowledge, read and react to one message at once (raw load)',
  rows: Object.fromEntries(
    SIZES.flatMap((size) => [
      ...KINDS.flatMap((kind) => [
        [
          `${kind}_${size}_refused`,
          {
            what: `${written(kind, size)}: refused, worst round`,
            unit: '',
            target: { of: 'measured' as const, atMost: 0 },
          },
        ],
        [
          `${kind}_${size}`,
          {
            what: `${written(kind, size)}: until all are answered`,
            unit: 'ms',
            against: '10 × the relay, or 1.5 s',
            target: { of: 'ratio' as const, atMost: 1 },
          },
        ],
      ]),
      [
        `after_${size}`,
        {
          what: `a send to the group of ${number(size)} right after a storm`,
          unit: 'ms',
          target: { of: 'measured' as const, atMost: 500 },
        },
      ],
      [`beside_${size}`, { what: `a send between two others during a storm of ${number(size)}`, unit: 'ms' }],
    ]),
  ),
  async run(bench) {
    const [app, relay] = [await bench.app(), await bench.relay()];
    const most = Math.max(...SIZES);
    await app.populate(most + 2);
    const measurements: Record<string, Measurement> = {};
    const tables: Table[] = [];
    for (const size of SIZES) {
      const { found, table } = await measureSize(app, relay, size);
      Object.assign(measurements, found);
      tables.push(table);
    }
    return { measurements, tables };
  },
};

function written(kind: Kind, size: number): string {
  return `${number(size)} members ${kind === 'delivered' ? 'acknowledge delivery' : kind} at once`;
}

/** A round of one kind: the relay's milliseconds, where it was measured, and the storm on LetsApp. */
type Turn = [number | undefined, Storm];

async function measureSize(app: LetsApp, relay: Side, size: number) {
  const group_id = await createGroup(app, size);
  const storms: Record<Kind, Turn[]> = { delivered: [], read: [], react: [] };
  const bareKinds = KINDS.filter((kind) => kind !== 'react' || size ** 2 <= MOST_PACKETS);
  for (let i = 0; i < ROUNDS; i++) {
    const bare = await eachKind(relay, 'group', size, bareKinds);
    const ours = await eachKind(app, group_id, size, KINDS);
    for (const kind of KINDS) storms[kind].push([bare[kind]?.ms, ours[kind]!]);
  }
  const found: Record<string, Measurement> = {};
  for (const kind of KINDS) {
    found[`${kind}_${size}`] = compared(
      storms[kind].map(([bareMs = 0, { ms }]) => ({ against: Math.max(10 * bareMs, ALLOWED_MS), measured: ms })),
    );
    // Of the worst round: a median would hide that anybody was.
    found[`${kind}_${size}_refused`] = { measured: Math.max(...storms[kind].map(([, { refused }]) => sum(refused))) };
  }
  const medians = (pick: (one: Storm) => number) =>
    KINDS.map((kind) => median(storms[kind].map(([, one]) => pick(one))));
  // Of the worst kind of storm.
  found[`after_${size}`] = { measured: Math.max(...medians(({ after }) => after)) };
  found[`beside_${size}`] = { measured: Math.max(...medians(({ beside }) => beside)) };
  return { found, table: tableOf(size, storms) };
}

/** One storm of each kind, over new connections: those of a storm that went wrong may be broken. */
async function eachKind(side: Side, group_id: string, size: number, kinds: readonly Kind[]) {
  const devices = await connectManyRaw(side, 0, size + 2);
  const message = await announce(devices, group_id, size);
  const found: Partial<Record<Kind, Storm>> = {};
  for (const kind of kinds) found[kind] = await storm(side, devices, { kind, size, group_id, ...message });
  for (const device of devices) device.close();
  return found;
}

const sum = (counts: Map<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0);

function tableOf(size: number, storms: Record<Kind, Turn[]>): Table {
  const rows = KINDS.map((kind) => {
    const each = (pick: (one: Storm) => string) => storms[kind].map(([, one]) => pick(one)).join(', ');
    const codes = (refused: Map<string, number>) =>
      [...refused].map(([code, count]) => `${count} ${code}`).join(' + ') || '0';
    return [
      kind,
      storms[kind].map(([bareMs]) => (bareMs === undefined ? 'not measured' : number(bareMs))).join(', '),
      each(({ ms }) => number(ms)),
      each(({ refused }) => codes(refused)),
      each(({ after }) => number(after)),
      each(({ beside }) => number(beside)),
    ];
  });
  const header = ['all at once', 'relay ms', 'LetsApp ms', 'refused', 'a send right after, ms', 'one beside, ms'];
  return { title: `Round by round, group of ${number(size)}`, header, rows };
}
