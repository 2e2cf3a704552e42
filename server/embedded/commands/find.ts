import { type Found, transformed } from '../plan/found.ts';
import { compileFilter } from '../query/match.ts';
import { compileProjection, type Transform } from '../query/projection.ts';
import { parseSort } from '../query/sort.ts';
import type { Engine } from '../storage/engine.ts';
import type { Doc } from '../values/document.ts';
import type { CommandRequest } from '../wire/message.ts';
import { encodeBatch } from './batch-reply.ts';
import { type Command, targetOf } from './command.ts';
import { countField, deadlineOf, docField, flag } from './fields.ts';
import { prepareQuery, type Query, runQueryInSlices } from './query.ts';

/** The query of a `find` command. */
export function findQuery(engine: Engine, request: CommandRequest): Query {
  const { body } = request;
  return prepareQuery(engine, targetOf(request), {
    filter: compileFilter(docField(body, 'filter')),
    sort: parseSort(body.sort),
    skip: countField(body, 'skip') ?? 0,
    limit: countField(body, 'limit') || Infinity,
    hint: body.hint,
  });
}

export const find: Command = {
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
  run: async (engine, request) => {
    const { body } = request;
    const query = findQuery(engine, request);
    const found = await runQueryInSlices(engine, query, deadlineOf(body));
    const items = projected(found, docField(body, 'projection'));
    const { cursors } = engine;
    return encodeBatch(cursors.open(query.namespace, items, countField(body, 'batchSize'), flag(body, 'singleBatch')));
  },
};

/** The documents as the projection leaves them. Without one they stay raw. */
function projected(items: Iterable<Found>, projection: Doc | undefined): Iterable<Found> {
  if (projection === undefined || Object.keys(projection).length === 0) return items;
  return each(items, compileProjection(projection));
}

function* each(items: Iterable<Found>, projection: Transform): Iterable<Found> {
  for (const item of items) yield transformed(item, projection);
}
