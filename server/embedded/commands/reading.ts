import { Long } from 'bson';
import type { Stage } from '../aggregate.ts';
import { compileStage, computed, drop, readStages, take } from '../aggregate.ts';
import type { Collection } from '../catalog.ts';
import { namespaceOf } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import { Fault } from '../errors.ts';
import type { Variables } from '../expressions.ts';
import { compare } from '../keys.ts';
import type { Filter } from '../match.ts';
import { compileFilter } from '../match.ts';
import { reach } from '../paths.ts';
import type { Plan } from '../planner.ts';
import { describePlan, isCollectionScan } from '../planner.ts';
import { compileProjection } from '../projection.ts';
import { encodeBatch, int } from '../reply.ts';
import type { Examined, Found } from '../scan.ts';
import { countByIndex, docOf, nothingExamined, planKilled, runPlan } from '../scan.ts';
import type { SortSpec } from '../sort.ts';
import { parseSort } from '../sort.ts';
import { choosePlan } from '../trial.ts';
import type { Doc } from '../values.ts';
import { field, fromNumber, isDoc, isLong, isNumber, isTruthy, toInteger, toNumber } from '../values.ts';
import type { Command, Request } from './command.ts';
import { checkFields, countField, docField, flag, targetOf } from './command.ts';

/** A query ready to run: what it looks at, in which order, and how much of it. */
interface Query {
  collection: Collection | undefined;
  filter: Filter;
  sort: SortSpec | undefined;
  skip: number;
  limit: number;
  plan: Plan | undefined;
  examined: Examined;
}

function prepare(
  engine: Engine,
  namespace: string,
  filter: Filter,
  sort: SortSpec | undefined,
  skip: number,
  limit: number,
  hint?: unknown,
): Query {
  const collection = engine.catalog.find(namespace);
  const plan =
    collection === undefined ? undefined : choosePlan(engine.storage, collection, filter, sort, skip + limit, hint);
  return { collection, filter, sort, skip, limit, plan, examined: nothingExamined() };
}

/** Runs a query lazily; `deadline` (ms since the epoch) is looked at as the scan goes on. */
function run(
  engine: Engine,
  { collection, plan, sort, skip, limit, examined }: Query,
  deadline = Infinity,
): Iterable<Found> {
  if (collection === undefined || plan === undefined) return [];
  const alive = () => {
    const now = engine.catalog.find(collection.namespace);
    const indexes = plan.kind === 'union' ? plan.branches.map((branch) => branch.index) : [plan.index];
    const isSame = indexes.every(({ prefix }) => now?.indexes.some((index) => index.prefix.equals(prefix)));
    if (!isSame) throw planKilled(collection.namespace);
    if (Date.now() > deadline) throw new Fault(50, 'operation exceeded time limit');
  };
  const found = runPlan(engine.storage, collection, plan, sort, skip + limit, examined, alive);
  return take(drop(found, skip), limit);
}

function deadlineOf(body: Doc): number {
  const limit = countField(body, 'maxTimeMS') ?? 0;
  return limit === 0 ? Infinity : Date.now() + limit;
}

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
    'let',
    'allowDiskUse',
    'noCursorTimeout',
    'allowPartialResults',
    'returnKey',
    'showRecordId',
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

function prepareFind(engine: Engine, request: Request) {
  const { body } = request;
  for (const option of ['returnKey', 'showRecordId']) {
    if (flag(body, option)) throw new Fault(238, `${option} is not supported here`);
  }
  const projection = docField(body, 'projection');
  const filter = compileFilter(docField(body, 'filter') ?? {}, letVariables(body));
  const query = prepare(
    engine,
    targetOf(request),
    filter,
    parseSort(body.sort),
    countField(body, 'skip') ?? 0,
    countField(body, 'limit') || Infinity,
    body.hint,
  );
  const project =
    projection === undefined || Object.keys(projection).length === 0
      ? undefined
      : compileProjection(projection, filter);
  return { query, project };
}

function letVariables(body: Doc): Variables {
  return docField(body, 'let') ?? {};
}

function* projected(items: Iterable<Found>, project: ((doc: Doc) => Doc) | undefined): Iterable<Found> {
  if (project === undefined) yield* items;
  else for (const item of items) yield computed(project(docOf(item)));
}

/**
 * A pipeline as a query (its leading `$match`, `$sort`, `$skip` and `$limit`, which an index can serve) and the stages
 * behind it.
 */
function prepareAggregate(engine: Engine, namespace: string, pipeline: unknown, variables: Variables, hint?: unknown) {
  const stages = readStages(pipeline);
  const [database] = namespace.split('.', 1) as [string];
  const filters: unknown[] = [];
  let sort: SortSpec | undefined;
  let skip = 0;
  let limit = Infinity;
  while (stages[0]?.name === '$match') {
    const { operand } = stages.shift()!;
    if (!isDoc(operand)) throw new Fault(15959, 'the match filter must be an expression in an object');
    if (Object.keys(operand).length > 0) filters.push(operand);
  }
  if (stages[0]?.name === '$sort') sort = parseSort(stages.shift()!.operand);
  if (stages[0]?.name === '$skip') skip = countField({ $skip: stages.shift()!.operand }, '$skip') ?? 0;
  if (stages[0]?.name === '$limit' && isNumber(stages[0].operand) && toNumber(stages[0].operand) > 0) {
    limit = toInteger(stages.shift()!.operand, '$limit');
  }
  const filter = compileFilter(filters.length > 1 ? { $and: filters } : (filters[0] ?? {}), variables);
  const query = prepare(engine, namespace, filter, sort, skip, limit, hint);
  const runOn = (collection: string, inner: unknown[], scope: Variables) =>
    runAggregate(engine, prepareAggregate(engine, namespaceOf(database, collection), inner, scope));
  const rest: Stage[] = stages.map(({ name, operand }) => compileStage(name, operand, variables, runOn));
  return { query, rest, counts: isPlainCount(stages[0], query) ? (stages[0]!.operand as Doc) : undefined };
}

/** Whether the stage does nothing but count, as the driver's `countDocuments` asks: `{ _id: 1, n: { $sum: 1 } }`. */
function isPlainCount(stage: { name: string; operand: unknown } | undefined, { skip, limit }: Query): boolean {
  if (stage?.name !== '$group' || !isDoc(stage.operand) || skip > 0 || limit !== Infinity) return false;
  const { _id: id, n, ...others } = stage.operand;
  const isConstant = id === null || isNumber(id);
  return isConstant && Object.keys(others).length === 0 && isDoc(n) && isNumber(n.$sum) && toNumber(n.$sum) === 1;
}

function runAggregate(
  engine: Engine,
  { query, rest, counts }: ReturnType<typeof prepareAggregate>,
  deadline?: number,
): Iterable<Found> {
  if (counts !== undefined && query.plan !== undefined) {
    const count = countByIndex(engine.storage, query.plan);
    if (count !== undefined) {
      const counted = count === 0 ? [] : [computed({ _id: counts._id, n: fromNumber(count) })];
      return rest.slice(1).reduce((items: Iterable<Found>, stage) => stage(items), counted);
    }
  }
  return rest.reduce((items, stage) => stage(items), run(engine, query, deadline));
}

const aggregate: Command = {
  fields: ['pipeline', 'cursor', 'explain', 'allowDiskUse', 'hint', 'let', 'bypassDocumentValidation'],
  run: (engine, request) => {
    const { body } = request;
    if (isNumber(body.aggregate)) throw new Fault(73, '{aggregate: 1} is not valid for the stages of this database');
    const cursor = docField(body, 'cursor');
    if (cursor === undefined)
      throw new Fault(9, "The 'cursor' option is required, except for aggregate with the explain argument");
    const namespace = targetOf(request);
    const prepared = prepareAggregate(engine, namespace, body.pipeline, letVariables(body), body.hint);
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
  fields: ['query', 'limit', 'skip', 'hint', 'fields'],
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

const explain: Command = {
  fields: ['verbosity'],
  run: (engine, request) => {
    const inner = docField(request.body, 'explain') ?? {};
    const name = Object.keys(inner)[0] ?? '';
    const explained = { ...request, name, body: inner };
    const { query, sortsInMemory } = explainedQuery(engine, explained);
    const { plan, collection } = query;
    let winningPlan: Doc = plan === undefined ? { stage: 'EOF' } : describePlan(plan);
    if (sortsInMemory) winningPlan = { stage: 'SORT', inputStage: winningPlan };
    if (query.skip > 0) winningPlan = { stage: 'SKIP', skipAmount: fromNumber(query.skip), inputStage: winningPlan };
    if (query.limit !== Infinity)
      winningPlan = { stage: 'LIMIT', limitAmount: fromNumber(query.limit), inputStage: winningPlan };
    const queryPlanner = {
      namespace: collection?.namespace ?? namespaceOf(request.database, inner[name]),
      winningPlan,
      rejectedPlans: [],
    };
    if (request.body.verbosity === 'queryPlanner') return { queryPlanner };
    const started = Date.now();
    let nReturned = 0;
    for (const _ of run(engine, query)) nReturned++;
    const executionStats = {
      executionSuccess: true,
      nReturned: int(nReturned),
      executionTimeMillis: int(Date.now() - started),
      totalKeysExamined: int(plan === undefined || isCollectionScan(plan) ? 0 : query.examined.keys),
      totalDocsExamined: int(query.examined.docs),
    };
    return { queryPlanner, executionStats };
  },
};

/** The query of the command to explain. Of a write it is what finds the documents. */
function explainedQuery(engine: Engine, request: Request): { query: Query; sortsInMemory: boolean } {
  const query = queryOf(engine, request);
  return { query, sortsInMemory: query.sort !== undefined && query.plan !== undefined && !query.plan.sorted };
}

function queryOf(engine: Engine, request: Request): Query {
  const { name, body } = request;
  const simple = (filter: unknown, limit: number, sort?: unknown, hint?: unknown) =>
    prepare(engine, targetOf(request), compileFilter(filter ?? {}), parseSort(sort), 0, limit, hint);
  switch (name) {
    case 'find':
      checkFields(request, find.fields);
      return prepareFind(engine, request).query;
    case 'aggregate':
      checkFields(request, aggregate.fields);
      return prepareAggregate(engine, targetOf(request), body.pipeline, letVariables(body), body.hint).query;
    case 'count':
    case 'distinct':
      return simple(body.query, Infinity, undefined, body.hint);
    case 'findAndModify':
      return simple(body.query, 1, body.sort, body.hint);
    case 'update':
    case 'delete': {
      const [statement] = (field(body, `${name}s`) ?? []) as Doc[];
      const isMany = name === 'update' ? isTruthy(statement?.multi) : !isTruthy(statement?.limit);
      return simple(statement?.q, isMany ? Infinity : 1, undefined, statement?.hint);
    }
    default:
      throw new Fault(59, `Explain failed due to unknown command: ${name}`);
  }
}

/** The commands that read. */
export const reading: Record<string, Command> = { find, aggregate, getMore, killCursors, count, distinct, explain };
