/** `npm run chaos [minutes]`: the long mode. Exits with 1 when anything was lost, doubled, out of order or missing. */
import { report, runChaos } from './chaos.ts';
import { FAULTS } from './faults.ts';

const minutes = Number(process.argv[2] ?? 3);
const ROUND_MS = 6000;
const names = Object.keys(FAULTS);
const rounds = Math.max(names.length, Math.round((minutes * 60_000) / ROUND_MS));
const faults = Array.from(
  { length: rounds },
  (_, i) => names[i < names.length ? i : Math.floor(Math.random() * names.length)]!,
);
const verdict = await runChaos({ clients: 32, faults, pauseMs: 2000, log: (line) => console.log(line) });
console.log(report(verdict));
const { lost, doubled, outOfOrder, gaps, different, unended } = verdict;
process.exit(lost + doubled + outOfOrder + gaps + different + unended === 0 ? 0 : 1);
