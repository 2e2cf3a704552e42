import { Long } from 'bson';
import { namespaceOf } from '../catalog.ts';
import { Fault } from '../errors.ts';
import { compare } from '../keys.ts';
import { compileFilter } from '../match.ts';
import { reach } from '../paths.ts';
import { encodeBatch } from '../reply.ts';
import { countByIndex, docOf } from '../scan.ts';
import { fromNumber, isLong, isNumber, toInteger } from '../values.ts';
import type { Command } from './command.ts';
import { countField, docField, flag, targetOf } from './command.ts';
import { deadlineOf, prepare, prepareAggregate, prepareFind, projected, run, runAggregate } from './query.ts';

const find: Command = {
  fields: [
    'filter',
    'projection',
    'sort',
    'skip',
    'limit',
    'batchSize',
    'singleBatch',
    'hint',
    'allowDiskUse',
    'noCursorTimeout',
  ],
  run: (engine, request) => {
    const { body } = request;
    const { query, project } = prepareFind(engine, request);
    const items = projected(run(engine, query, deadlineOf(body)), project);
    return encodeBatch(
      engine.cursors.open(targetOf(request), items, countField(body, 'batchSize'), flag(body, 'singleBatch')),
    );
  },
};

const aggregate: Command = {
  fields: ['pipeline', 'cursor', 'allowDiskUse', 'hint', 'bypassDocumentValidation'],
  run: (engine, request) => {
    const { body } = request;
    if (isNumber(body.aggregate)) throw new Fault(73, '{aggregate: 1} is not valid for the stages of this database');
    const cursor = docField(body, 'cursor');
    if (cursor === undefined)
      throw new Fault(9, "The 'cursor' option is required, except for aggregate with the explain argument");
    const namespace = targetOf(request);
    const prepared = prepareAggregate(engine, namespace, body.pipeline, body.hint);
    const items = runAggregate(engine, prepared, deadlineOf(body));
    return encodeBatch(engine.cursors.open(namespace, items, countField(cursor, 'batchSize')));
  },
};

const getMore: Command = {
  fields: ['collection', 'batchSize'],
  run: (engine, { database, body }) => {
    if (!isLong(body.getMore)) throw new Fault(14, "Field 'getMore' must be of type long");
    return encodeBatch(
      engine.cursors.next(
        body.getMore,
        namespaceOf(database, body.collection),
        countField(body, 'batchSize') || undefined,
      ),
    );
  },
};

const killCursors: Command = {
  fields: ['cursors'],
  run: (engine, { body }) => {
    const ids = Array.isArray(body.cursors) ? body.cursors.filter((id) => Long.isLong(id)) : [];
    const closed = new Map(ids.map((id) => [id, engine.cursors.close(id)]));
    const those = (wanted: boolean) => ids.filter((id) => closed.get(id) === wanted);
    return { cursorsKilled: those(true), cursorsNotFound: those(false), cursorsAlive: [], cursorsUnknown: [] };
  },
};

const count: Command = {
  fields: ['query', 'limit', 'skip', 'hint'],
  run: (engine, request) => {
    const { body } = request;
    const filter = compileFilter(docField(body, 'query') ?? {});
    const limit = body.limit === undefined ? 0 : Math.abs(toInteger(body.limit, 'limit'));
    const query = prepare(
      engine,
      targetOf(request),
      filter,
      undefined,
      countField(body, 'skip') ?? 0,
      limit || Infinity,
      body.hint,
    );
    const all = query.plan === undefined ? 0 : countByIndex(engine.storage, query.plan);
    if (all !== undefined) return { n: fromNumber(Math.min(Math.max(all - query.skip, 0), query.limit)) };
    let n = 0;
    for (const _ of run(engine, query, deadlineOf(body))) n++;
    return { n: fromNumber(n) };
  },
};

const distinct: Command = {
  fields: ['key', 'query', 'hint'],
  run: (engine, request) => {
    const { body } = request;
    if (typeof body.key !== 'string')
      throw new Fault(14, "BSON field 'distinct.key' is the wrong type, expected type 'string'");
    const parts = body.key.split('.');
    const filter = compileFilter(docField(body, 'query') ?? {});
    const query = prepare(engine, targetOf(request), filter, undefined, 0, Infinity, body.hint);
    const values: unknown[] = [];
    for (const item of run(engine, query, deadlineOf(body))) {
      for (const value of reach(docOf(item), parts)) {
        if (Array.isArray(value)) values.push(...value);
        else if (value !== undefined) values.push(value);
      }
    }
    values.sort(compare);
    return { values: values.filter((value, at) => at === 0 || compare(value, values[at - 1]) !== 0) };
  },
};

/** The commands that read. */
export const reading: Record<string, Command> = { find, aggregate, getMore, killCursors, count, distinct };
