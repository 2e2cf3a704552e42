/** How far a client that repeats `sync` has come: what its cursor stands for. */
import Type, { type Static } from 'typebox';
import { invalid } from '../lib/errors.ts';
import { compile } from '../lib/validation.ts';
import type { ListPosition } from './list-position.ts';

export interface SyncProgress {
  /** The `server_time` of the first answer, and of all: only what was asked for by then is complete at the end. */
  startedAt: Date;
  /** Only conversations that changed since then are listed. */
  since: Date | undefined;
  /** How many messages the answer has of a conversation that the client did not name. */
  newest: number | undefined;
  /** Conversations down to here are complete. */
  completeTo: ListPosition | undefined;
  /** Conversations down to here were listed by the first answer. */
  listedTo: ListPosition | undefined;
  /** The conversation that the last answer cut, and the `rev` it came to. */
  cut: { id: string; rev: number } | undefined;
}

/** What a Date can hold, in milliseconds. */
const Moment = Type.Integer({ minimum: -8.64e15, maximum: 8.64e15 });
const ConversationId = Type.String({ maxLength: 64 });
const Position = Type.Object({ at: Moment, id: ConversationId });
/** As it stands in a cursor. */
const Cursor = Type.Object({
  t: Moment,
  s: Type.Optional(Moment),
  n: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  c: Type.Optional(Position),
  l: Type.Optional(Position),
  r: Type.Optional(Type.Object({ id: ConversationId, rev: Type.Integer({ minimum: 0 }) })),
});
const isCursor = compile(Cursor);

export function toSyncCursor({ startedAt, since, newest, completeTo, listedTo, cut }: SyncProgress): string {
  const cursor: Static<typeof Cursor> = {
    t: startedAt.getTime(),
    ...(since ? { s: since.getTime() } : {}),
    ...(newest ? { n: newest } : {}),
    ...(completeTo ? { c: completeTo } : {}),
    ...(listedTo ? { l: listedTo } : {}),
    ...(cut ? { r: cut } : {}),
  };
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** @throws ContractError `validation_failed` for what `toSyncCursor` did not make */
export function fromSyncCursor(text: string): SyncProgress {
  const cursor = parse(Buffer.from(text, 'base64url').toString());
  if (!isCursor(cursor)) throw invalid('cursor', 'is not one that sync gave');
  const { t, s, n, c, l, r } = cursor as Static<typeof Cursor>;
  return {
    startedAt: new Date(t),
    since: s === undefined ? undefined : new Date(s),
    newest: n,
    completeTo: c,
    listedTo: l,
    cut: r,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
