import type { RunOn, Stage } from '../aggregate/stage.ts';
import { compileStage, matchOperand, readStages } from '../aggregate/stages.ts';
import { computed, type Found } from '../plan/found.ts';
import { countByIndex } from '../plan/scan.ts';
import { compileFilter } from '../query/match.ts';
import { parseSort } from '../query/sort.ts';
import { namespaceOf } from '../storage/collection.ts';
import type { Engine } from '../storage/engine.ts';
import { type Doc, isDoc } from '../values/document.ts';
import { toInteger } from '../values/integer.ts';
import { fromNumber, isNumber, toNumber } from '../values/numbers.ts';
import { countField } from './fields.ts';
import { prepareQuery, type Query, type QuerySpec, runQuery } from './query.ts';

/** A pipeline ready to run: the query that its first stages are, and the stages behind them. */
export interface Pipeline {
  query: Query;
  stages: Stage[];
  /** The `_id` of the only group, if the first stage behind the query does nothing but count. */
  countedAs: { id: unknown } | undefined;
}

type StageSpec = ReturnType<typeof readStages>[number];

/**
 * Compiles a pipeline. Its leading `$match`, `$sort`, `$skip` and `$limit` become a query, which an index can serve.
 * @throws what the stages, and `planQuery`, throw
 */
export function preparePipeline(engine: Engine, namespace: string, pipeline: unknown, hint?: unknown): Pipeline {
  const { spec, rest } = splitPipeline(readStages(pipeline));
  const query = prepareQuery(engine, namespace, { ...spec, hint });
  const [database] = namespace.split('.', 1) as [string];
  const runOn: RunOn = (collection, inner) =>
    runPipeline(engine, preparePipeline(engine, namespaceOf(database, collection), inner));
  const stages = rest.map(({ name, operand }) => compileStage(name, operand, runOn));
  return { query, stages, countedAs: plainCount(rest[0], query) };
}

function splitPipeline(stages: StageSpec[]): { spec: QuerySpec; rest: StageSpec[] } {
  const rest = [...stages];
  const filters: Doc[] = [];
  while (rest[0]?.name === '$match') {
    const filter = matchOperand(rest.shift()!.operand);
    if (Object.keys(filter).length > 0) filters.push(filter);
  }
  const spec: QuerySpec = { filter: compileFilter(filters.length > 1 ? { $and: filters } : filters[0]) };
  if (rest[0]?.name === '$sort') spec.sort = parseSort(rest.shift()!.operand);
  if (rest[0]?.name === '$skip') spec.skip = countField({ $skip: rest.shift()!.operand }, '$skip') ?? 0;
  if (rest[0]?.name === '$limit' && isNumber(rest[0].operand) && toNumber(rest[0].operand) > 0) {
    spec.limit = toInteger(rest.shift()!.operand, '$limit');
  }
  return { spec, rest };
}

/** Recognises `{ $group: { _id: 1, n: { $sum: 1 } } }`, by which the driver's `countDocuments` counts. */
function plainCount(stage: StageSpec | undefined, { skip, limit }: Query): Pipeline['countedAs'] {
  if (stage?.name !== '$group' || !isDoc(stage.operand) || skip > 0 || limit !== Infinity) return undefined;
  const { _id: id, n, ...others } = stage.operand;
  const isConstant = id === null || isNumber(id);
  const isCount = isDoc(n) && isNumber(n.$sum) && toNumber(n.$sum) === 1;
  return isConstant && isCount && Object.keys(others).length === 0 ? { id } : undefined;
}

/** Runs a pipeline lazily. If it only counts, and the index alone answers its query, no document is read. */
export function runPipeline(engine: Engine, pipeline: Pipeline, deadline?: number): Iterable<Found> {
  const { query, stages, countedAs } = pipeline;
  if (countedAs !== undefined && query.plan !== undefined) {
    const count = countByIndex(engine.storage, query.plan);
    if (count !== undefined) {
      const counted = count === 0 ? [] : [computed({ _id: countedAs.id, n: fromNumber(count) })];
      return through(stages.slice(1), counted);
    }
  }
  return through(stages, runQuery(engine, query, deadline));
}

function through(stages: Stage[], items: Iterable<Found>): Iterable<Found> {
  return stages.reduce((input, stage) => stage(input), items);
}
