import type { Engine } from '../storage/engine.ts';
import type { Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { int, long } from '../values/numbers.ts';
import type { Command } from './command.ts';
import { countField } from './fields.ts';

/** The longest pause of writes, in milliseconds; it can be renewed. */
const LONGEST_PAUSE_MS = 60_000;

/** What a move of the database asks for, step by step (`storage/moving.ts`). Not a command of MongoDB. */
export const moveDatabase: Command = {
  fields: ['tracker', 'after', 'limit', 'ms', 'pause', 'to', 'move'],
  run: (engine, { body }) => {
    const step = STEPS[String(body.moveDatabase)];
    if (step === undefined) throw new Fault(9, `there is no step ${String(body.moveDatabase)} of moveDatabase`);
    return step(engine, body);
  },
};

const STEPS: Record<string, (engine: Engine, body: Doc) => Doc | Promise<Doc>> = {
  track: ({ moving }) => ({ tracker: moving.track() }),
  changes({ moving }, body) {
    const limit = countField(body, 'limit') ?? 1000;
    const { changes, upTo } = moving.changes(textField(body, 'tracker'), countField(body, 'after') ?? 0, limit);
    return { changes, upTo: long(upTo) };
  },
  async pause(engine, body) {
    const ms = Math.min(countField(body, 'ms') ?? 0, LONGEST_PAUSE_MS);
    return { pause: int(await engine.pauseWrites(ms)) };
  },
  resume({ moving }) {
    moving.resume();
    return {};
  },
  finish({ moving }, body) {
    const moved = { to: textField(body, 'to'), move: textField(body, 'move'), at: new Date().toISOString() };
    moving.finish(countField(body, 'pause') ?? 0, moved);
    return {};
  },
};

function textField(body: Doc, field: string): string {
  const value = body[field];
  if (typeof value !== 'string') throw new Fault(14, `BSON field '${field}' must be a string`);
  return value;
}
