import { describePlan } from '../plan/describe.ts';
import { isCollectionScan } from '../plan/plan.ts';
import type { Engine } from '../storage/engine.ts';
import type { Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { fromNumber, int } from '../values/numbers.ts';
import type { CommandRequest } from '../wire/message.ts';
import { aggregate, aggregatePipeline } from './aggregate.ts';
import type { Command } from './command.ts';
import { checkFields, docField } from './fields.ts';
import { find, findQuery } from './find.ts';
import { type Query, runQuery } from './query.ts';

/** Tells how a `find` or an `aggregate` would run. */
export const explain: Command = {
  fields: ['verbosity'],
  run: (engine, request) => {
    const inner = docField(request.body, 'explain') ?? {};
    const query = explainedQuery(engine, { ...request, name: Object.keys(inner)[0] ?? '', body: inner });
    const queryPlanner = { namespace: query.namespace, winningPlan: describeQuery(query), rejectedPlans: [] };
    if (request.body.verbosity === 'queryPlanner') return { queryPlanner };
    return { queryPlanner, executionStats: statsOf(engine, query) };
  },
};

function explainedQuery(engine: Engine, request: CommandRequest): Query {
  switch (request.name) {
    case 'find':
      checkFields(request, find.fields);
      return findQuery(engine, request);
    case 'aggregate':
      checkFields(request, aggregate.fields);
      return aggregatePipeline(engine, request).query;
    default:
      throw new Fault(59, `Explain failed due to unknown command: ${request.name}`);
  }
}

function describeQuery({ plan, sort, skip, limit }: Query): Doc {
  let stage: Doc = plan === undefined ? { stage: 'EOF' } : describePlan(plan);
  if (sort !== undefined && plan !== undefined && !plan.isSorted) stage = { stage: 'SORT', inputStage: stage };
  if (skip > 0) stage = { stage: 'SKIP', skipAmount: fromNumber(skip), inputStage: stage };
  if (limit !== Infinity) stage = { stage: 'LIMIT', limitAmount: fromNumber(limit), inputStage: stage };
  return stage;
}

/** Runs the query and tells what it looked at. */
function statsOf(engine: Engine, query: Query): Doc {
  const { plan, examined } = query;
  const started = performance.now();
  let returned = 0;
  for (const _ of runQuery(engine, query)) returned++;
  return {
    executionSuccess: true,
    nReturned: int(returned),
    executionTimeMillis: int(Math.round(performance.now() - started)),
    totalKeysExamined: int(plan === undefined || isCollectionScan(plan) ? 0 : examined.keys),
    totalDocsExamined: int(examined.docs),
  };
}
