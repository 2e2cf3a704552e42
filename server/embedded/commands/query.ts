import type { Stage } from '../aggregate.ts';
import { compileStage, computed, drop, readStages, take } from '../aggregate.ts';
import type { Collection } from '../catalog.ts';
import { namespaceOf } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import { Fault } from '../errors.ts';
import type { Filter } from '../match.ts';
import { compileFilter } from '../match.ts';
import type { Plan } from '../planner.ts';
import { compileProjection } from '../projection.ts';
import type { Examined, Found } from '../scan.ts';
import { countByIndex, docOf, nothingExamined, planKilled, runPlan } from '../scan.ts';
import type { SortSpec } from '../sort.ts';
import { parseSort } from '../sort.ts';
import { choosePlan } from '../trial.ts';
import type { Doc } from '../values.ts';
import { fromNumber, isDoc, isNumber, toInteger, toNumber } from '../values.ts';
import type { Request } from './command.ts';
import { countField, docField, targetOf } from './command.ts';

/** A query ready to run: what it looks at, in which order, and how much of it. */
export interface Query {
  collection: Collection | undefined;
  filter: Filter;
  sort: SortSpec | undefined;
  skip: number;
  limit: number;
  plan: Plan | undefined;
  examined: Examined;
}

/** Chooses how to run a query on the collection; one that does not exist has nothing to find. */
export function prepare(
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
export function run(
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

/** When the command's `maxTimeMS` is over, ms since the epoch. */
export function deadlineOf(body: Doc): number {
  const limit = countField(body, 'maxTimeMS') ?? 0;
  return limit === 0 ? Infinity : Date.now() + limit;
}

/** Reads a `find` command. Throws for options that are not supported. */
export function prepareFind(engine: Engine, request: Request) {
  const { body } = request;
  const projection = docField(body, 'projection');
  const filter = compileFilter(docField(body, 'filter') ?? {});
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
    projection === undefined || Object.keys(projection).length === 0 ? undefined : compileProjection(projection);
  return { query, project };
}

/** The documents as the projection leaves them; without one they stay raw. */
export function* projected(items: Iterable<Found>, project: ((doc: Doc) => Doc) | undefined): Iterable<Found> {
  if (project === undefined) yield* items;
  else for (const item of items) yield computed(project(docOf(item)));
}

/**
 * A pipeline as a query (its leading `$match`, `$sort`, `$skip` and `$limit`, which an index can serve) and the stages
 * behind it.
 */
export function prepareAggregate(engine: Engine, namespace: string, pipeline: unknown, hint?: unknown) {
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
  const filter = compileFilter(filters.length > 1 ? { $and: filters } : (filters[0] ?? {}));
  const query = prepare(engine, namespace, filter, sort, skip, limit, hint);
  const runOn = (collection: string, inner: unknown[]) =>
    runAggregate(engine, prepareAggregate(engine, namespaceOf(database, collection), inner));
  const rest: Stage[] = stages.map(({ name, operand }) => compileStage(name, operand, runOn));
  return { query, rest, counts: isPlainCount(stages[0], query) ? (stages[0]!.operand as Doc) : undefined };
}

/** Whether the stage does nothing but count, as the driver's `countDocuments` asks: `{ _id: 1, n: { $sum: 1 } }`. */
function isPlainCount(stage: { name: string; operand: unknown } | undefined, { skip, limit }: Query): boolean {
  if (stage?.name !== '$group' || !isDoc(stage.operand) || skip > 0 || limit !== Infinity) return false;
  const { _id: id, n, ...others } = stage.operand;
  const isConstant = id === null || isNumber(id);
  return isConstant && Object.keys(others).length === 0 && isDoc(n) && isNumber(n.$sum) && toNumber(n.$sum) === 1;
}

/** Runs a prepared pipeline lazily; a plain count comes from the index alone if that answers it. */
export function runAggregate(
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
