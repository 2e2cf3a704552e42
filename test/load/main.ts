/**
 * `npm run load -- --url URL …`: the load that a deployment can take (docs/load.md). Exit code 0: nothing was lost,
 * doubled or out of order; 1: something was, or it is not known, or the load could not begin; 2: wrong arguments.
 */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ArgumentsError, type LoadOptions, parseArguments, USAGE } from './arguments.ts';
import { page } from './page.ts';
import { createDisplay } from './progress.ts';
import { runLoad } from './run.ts';
import { summary } from './summary.ts';
import { isClean } from './verdict.ts';

const args = process.argv.slice(2);
if (args.includes('--help')) console.log(USAGE);
else process.exitCode = await main(args);

async function main(given: string[]): Promise<number> {
  let options: LoadOptions;
  try {
    options = parseArguments(given);
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  const stopping = new AbortController();
  // Once ends early, with a report; twice ends at once.
  process.once('SIGINT', () => stopping.abort());
  const display = createDisplay(process.stderr);
  try {
    const report = await runLoad(options, {
      onProgress: display.show,
      onNotice: display.note,
      signal: stopping.signal,
    });
    display.end();
    const folder = await reportFolder(options.out);
    await writeFile(path.join(folder, 'load-report.json'), `${JSON.stringify(report, null, 2)}\n`);
    await writeFile(path.join(folder, 'load-report.html'), page(report));
    console.log(`${summary(report)}\n\n${path.join(folder, 'load-report.html')}`);
    return isClean(report.verdict) ? 0 : 1;
  } catch (error) {
    display.end();
    console.error((error as Error).message);
    return 1;
  }
}

async function reportFolder(out: string | undefined): Promise<string> {
  if (out === undefined) return mkdtemp(path.join(tmpdir(), 'letsapp-load-'));
  await mkdir(out, { recursive: true });
  return path.resolve(out);
}
