import { expect, test } from 'vitest';
import { benchmarkDocument } from './document.ts';
import type { Measurement } from './measurement.ts';
import type { Part } from './part.ts';
import { PARTS } from './parts.ts';
import type { PartResult, Results } from './results.ts';

const run = () => Promise.reject(new Error('nothing is measured here'));
const parts: Record<string, Part> = {
  speed: {
    about: 'How fast it goes',
    rows: {
      rate: { what: 'messages per second', unit: '/s', target: { of: 'ratio', atLeast: 0.35 } },
      wait: { what: 'a wait', unit: 'ms', against: 'a commit', target: { of: 'ratio', atMost: 4 } },
    },
    run,
  },
  size: {
    about: 'How large it is',
    rows: { memory: { what: 'memory', unit: 'MiB', target: { of: 'measured', atMost: 120 } } },
    run,
  },
  ages: { about: 'What takes long', rows: { page: { what: 'an old page', unit: 'ms' } }, isLong: true, run },
};
const machine = {
  cpu: 'A | B',
  cores: 2,
  memoryGiB: 24,
  system: 'Linux x64',
  node: 'v20.1.0',
  store: 'embedded',
  loadBefore: 0.04,
};
const rate: Measurement = {
  measured: 12_345.6,
  against: 50_000,
  ratio: 0.2469,
  spread: [0.2, 0.3],
  cpu: { ours: 0.456, relay: 0.021 },
  bytes: { written: 4321.2, wire: 950 },
};

const results = (found: Record<string, PartResult>): Results => ({
  date: '2026-01-02T03:04:05Z',
  machine,
  parts: found,
});
const speed = (over: Measurement = rate): PartResult => ({
  seconds: 12.4,
  measurements: { rate: over, wait: { measured: 2, against: 1, ratio: 2, spread: [2, 2] } },
  notes: ['A note.'],
  tables: [{ title: 'Stages', header: ['stage', 'ms'], rows: [['a|b', '1']] }],
});
const lineOf = (document: string, begin: string) => document.split('\n').find((line) => line.startsWith(`| ${begin}`));

test('says of each row what was measured, against what, and whether the target is met', () => {
  const document = benchmarkDocument(results({ speed: speed() }), parts, {});
  expect(lineOf(document, 'messages per second')).toBe(
    '| messages per second | 12,346 /s | 50,000 /s | 0.25 (0.20–0.30) | ≥ 0.35 | **missed** | 0.46 (relay 0.021) | 4,321 written, 950 on the wire |',
  );
  expect(lineOf(document, 'a wait')).toBe('| a wait | 2 ms | 1 ms (a commit) | 2 | ≤ 4 | yes |  |  |');
});

test('describes machine, date and what parts told besides', () => {
  const document = benchmarkDocument(results({ speed: speed() }), parts, {});
  expect(document).toContain('2026-01-02, 2 cores (A | B)');
  expect(document).toContain('Node v20.1.0');
  expect(document).toContain('The load average before the run was 0.0');
  expect(document).toContain('How fast it goes. Took 12 s.\n\n- A note.\n\nStages:\n\n| stage | ms |');
  expect(document).toContain('| a\\|b | 1 |');
});

test('does not hide what was not measured, and why', () => {
  const document = benchmarkDocument(results({ speed: { seconds: 1, error: 'the relay did not start' } }), parts, {});
  expect(lineOf(document, 'messages per second')).toContain('| not measured |  |  | ≥ 0.35 |');
  expect(lineOf(document, 'memory')).toContain('not measured');
  expect(document).toContain('- `speed`: failed: the relay did not start');
  expect(document).toContain('- `size`: not run.');
  expect(document).toContain('- `ages`: not run, it takes minutes');
});

test('gives the reason of what is missed, or says that there is none', () => {
  const remarks = { 'speed.rate': 'The disk.', 'speed.wait': 'Never shown: it is met.' };
  const missed = benchmarkDocument(results({ speed: speed() }), parts, remarks);
  expect(missed).toContain('- **messages per second**: The disk.');
  expect(missed).not.toContain('Never shown');
  const without = benchmarkDocument(results({ speed: speed() }), parts, {});
  expect(without).toContain('- **messages per second**: no reason is written down yet.');
  const met = benchmarkDocument(results({ speed: speed({ ...rate, ratio: 0.4 }) }), parts, remarks);
  expect(met).not.toContain('What is missed');
});

test('puts the figures of an earlier run beside', () => {
  const before = { name: '2026-01-02', parts: { speed: speed({ ...rate, measured: 2000, ratio: 0.05 }) } };
  const document = benchmarkDocument(results({ speed: speed(), size: size(90) }), parts, {}, before);
  expect(lineOf(document, 'what')).toContain('| before (2026-01-02) |');
  expect(lineOf(document, 'messages per second')).toMatch(/\| 2,000 \/s, ratio 0\.050 \|$/);
  expect(lineOf(document, 'memory')).toMatch(/\| not measured \|$/);
});

const size = (memory: number): PartResult => ({ seconds: 1, measurements: { memory: { measured: memory } } });

test('the same figures give the same document, also read again from JSON', () => {
  const found = results({ speed: speed(), size: size(90) });
  const again = JSON.parse(JSON.stringify(found)) as Results;
  expect(benchmarkDocument(again, parts, {})).toBe(benchmarkDocument(found, parts, {}));
});

test('has a line for every row of every part of the real catalogue', () => {
  const document = benchmarkDocument(results({}), PARTS, {});
  for (const { rows } of Object.values(PARTS)) {
    for (const { what } of Object.values(rows)) expect(document).toContain(`| ${what} | not measured |`);
  }
});
