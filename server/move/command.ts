/** `letsapp move --to URL [--copy-only]`: moves the embedded database to a MongoDB while servers use it. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { MongoClient } from 'mongodb';
import type { Config } from '../config.ts';
import type { MoveMark } from '../model/move-mark.ts';
import { createLog } from '../observability/log.ts';
import { type Movable, withMovable } from '../tool-store.ts';
import { createCarrier } from './carrier.ts';
import { databaseUrl } from './database-url.ts';
import { sourceOf } from './source.ts';
import { catchUp, finish } from './switch.ts';
import { beginFilling, endFilling, type Target, withTarget } from './target.ts';

const COMMAND_NOT_FOUND = 59;
/** How long the target may go on carrying out what an earlier run had sent when it was killed, in milliseconds. */
const AFTERMATH_MS = 2000;

const say = (line: string) => void process.stdout.write(`${line}\n`);

/**
 * @returns 0
 * @throws Error with a one-line message when either side cannot be used, or they differ in the end: then everything is as
 *   it was, and servers go on with the embedded database
 */
export async function run(args: string[], config: Config): Promise<number> {
  const { url, copyOnly } = readArgs(args);
  if (config.mongodbUrl !== undefined) {
    throw new Error('MONGODB_URL is set: what is moved is the embedded database of DATA_DIR, so unset it here');
  }
  const { shown } = databaseUrl(url);
  const done = await withMovable(config, (client, name, movable) =>
    withTarget(url, (target) => move({ client, name, movable }, target, { config, copyOnly })),
  );
  if ('moved' in done) {
    if (shown !== done.moved.to) throw new Error(`it was moved already, to ${done.moved.to}`);
    await withTarget(url, (target) => endFilling(target, done.moved.move));
  }
  if (!copyOnly || 'moved' in done) advise(config, 'moved' in done ? done.moved.to : done.result);
  return 0;
}

function readArgs(args: string[]): { url: string; copyOnly: boolean } {
  const { values } = parseArgs({
    args,
    options: {
      to: { type: 'string' },
      'to-file': { type: 'string' },
      'copy-only': { type: 'boolean', default: false },
    },
  });
  const { to, 'to-file': file } = values;
  if ((to === undefined) === (file === undefined)) {
    throw new Error(
      'say where to: letsapp move --to mongodb://host:27017/letsapp [--copy-only], or --to-file FILE with that',
    );
  }
  return { url: to ?? readFileSync(file!, 'utf8').trim(), copyOnly: values['copy-only'] };
}

interface Source {
  client: MongoClient;
  name: string;
  movable: Movable;
}

/** @returns where to, without what is secret */
async function move(
  { client, name, movable }: Source,
  target: Target,
  { config, copyOnly }: { config: Config; copyOnly: boolean },
): Promise<string> {
  const source = await sourceOf(client, name);
  // Before anything is read: what changes from now on is noted.
  const tracker = await movable.track().catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== COMMAND_NOT_FOUND) throw error;
    throw new Error('the server that runs on DATA_DIR is of an earlier version: restart it with this one first');
  });
  const begun = { ...newMark(), source, tracker };
  const mark = await beginFilling(target, begun, createLog('warn', config.production));
  if (mark !== begun) await pause(AFTERMATH_MS);
  if (mark.tracker !== tracker) {
    say('what has changed since an earlier run is not known: everything is compared');
    Object.assign(mark, { tracker, at: null, copied: [], deferred: [] });
  }
  const sides = { source: client.db(name), target: target.client.db(target.name) };
  const carrier = createCarrier({ ...sides, movable, mark, say });
  for (const collection of await carrier.collections()) {
    await carrier.copy(collection);
    say(`${collection} is copied`);
  }
  if (copyOnly) {
    await catchUp(carrier);
    say(`${target.shown} has a copy: run this again without --copy-only to bring it up to date and move there`);
    return target.shown;
  }
  const moved = { to: target.shown, move: mark.move };
  const counts = await finish({ ...sides, carrier, movable, moved, say });
  await endFilling(target, mark.move);
  for (const [collection, count] of counts) if (count > 0) say(`${collection}: ${count}`);
  return target.shown;
}

const newMark = (): Omit<MoveMark, 'source' | 'tracker'> => ({
  _id: 'move',
  move: randomBytes(8).toString('hex'),
  begun_at: new Date(),
  at: null,
  copied: [],
  deferred: [],
});

/** What is left to do. */
function advise({ dataDir }: Config, to: string): void {
  say(`moved to ${to}: everything is there, compared and counted`);
  say('now set MONGODB_URL to that on every server, and restart them: until then they refuse what would be written');
  say(`keep ${dataDir} (DATA_DIR): uploads with MEDIA_STORAGE=disk and generated secrets stay in it`);
}
