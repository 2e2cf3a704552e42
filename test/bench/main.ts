/**
 * `npm run bench -- [parts] [--json FILE] [--before FILE] [--other FOLDER] [--from FILE] [--write]`: the server against a
 * bare Socket.IO relay, in one run on one machine. Without parts it runs all but the long ones and writes
 * `docs/benchmark.md`. With MONGODB_URL the server stores there instead of in the embedded development database.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Bench, createBench } from './bench.ts';
import { benchmarkDocument } from './document.ts';
import { describeMachine } from './machine.ts';
import { type Options, readOptions } from './options.ts';
import { PARTS } from './parts.ts';
import { printed } from './print.ts';
import { REMARKS } from './remarks.ts';
import type { Before, PartResult, Results } from './results.ts';

const DOCUMENT = new URL('../../docs/benchmark.md', import.meta.url);
/** No part takes longer: what it waits for will not come. */
const MOST_MS = 6 * 60_000;
const MOST_OF_LONG_MS = 30 * 60_000;

const read = (file: string): Results => JSON.parse(readFileSync(file, 'utf8'));
const asBefore = ({ date, parts }: Results): Before => ({ name: date.slice(0, 10), parts });

async function runAll({ parts, other }: Options): Promise<Results> {
  const results: Results = { date: new Date().toISOString(), machine: describeMachine(), parts: {} };
  if (other !== undefined) results.before = { name: `${commitOf(other)}, in the same run`, parts: {} };
  const [ours, theirs] = [createBench(), createBench(other && path.resolve(other))];
  const stopBoth = async () => {
    await ours.stop();
    await theirs.stop();
  };
  for (const name of parts) {
    console.log(`\n${name}: ${PARTS[name]!.about}`);
    if (PARTS[name]!.isAlone) await stopBoth();
    results.parts[name] = await runPart(name, ours);
    if (results.before) results.before.parts[name] = await runPart(name, theirs);
  }
  await stopBoth();
  return results;
}

/** What a checkout is called. @throws Error with a line for the user */
function commitOf(root: string): string {
  if (!existsSync(path.join(root, 'dist/server/main.js'))) throw new Error(`${root} is no checkout that was built`);
  return execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
}

async function runPart(name: string, bench: Bench): Promise<PartResult> {
  const part = PARTS[name]!;
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  let result: PartResult;
  try {
    const findings = await withinTime(part.run(bench), part.isLong ? MOST_OF_LONG_MS : MOST_MS);
    await bench.endPart();
    result = { seconds: seconds(), ...findings };
  } catch (error) {
    // Whatever state it left, the next part begins with servers of its own.
    await bench.stop();
    result = { seconds: seconds(), error: error instanceof Error ? error.message : String(error) };
  }
  if (bench.root !== undefined) console.log(`with the server in ${bench.root}:`);
  console.log(printed(name, part, result));
  return result;
}

async function withinTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${ms / 1000} s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), PARTS);
  const results = options.from === undefined ? await runAll(options) : read(options.from);
  const before = options.before === undefined ? results.before : asBefore(read(options.before));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
  const failed = Object.values(results.parts).filter(({ error }) => error !== undefined).length;
  const isWhole = Object.entries(PARTS).every(([name, { isLong }]) => isLong || results.parts[name]);
  if (isWhole && (failed === 0 || options.write)) {
    writeFileSync(DOCUMENT, benchmarkDocument(results, PARTS, REMARKS, before));
    console.log('\ndocs/benchmark.md is written');
  } else {
    console.log(`\ndocs/benchmark.md is left as it is: ${isWhole ? `${failed} parts failed` : 'not all parts ran'}`);
  }
  return failed === 0 ? 0 : 1;
}

// Ends the programs that were started, and removes their folders (test/support/server.ts).
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
