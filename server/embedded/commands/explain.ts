import { namespaceOf } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import { Fault } from '../errors.ts';
import { describePlan, isCollectionScan } from '../planner.ts';
import { int } from '../reply.ts';
import type { Doc } from '../values.ts';
import { fromNumber } from '../values.ts';
import type { Command, Request } from './command.ts';
import { checkFields, docField, targetOf } from './command.ts';
import type { Query } from './query.ts';
import { prepareAggregate, prepareFind, run } from './query.ts';
import { reading } from './reading.ts';

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

/** The query of the command to explain. */
function explainedQuery(engine: Engine, request: Request): { query: Query; sortsInMemory: boolean } {
  const query = queryOf(engine, request);
  return { query, sortsInMemory: query.sort !== undefined && query.plan !== undefined && !query.plan.sorted };
}

function queryOf(engine: Engine, request: Request): Query {
  const { name, body } = request;
  switch (name) {
    case 'find':
      checkFields(request, reading.find!.fields);
      return prepareFind(engine, request).query;
    case 'aggregate':
      checkFields(request, reading.aggregate!.fields);
      return prepareAggregate(engine, targetOf(request), body.pipeline, body.hint).query;
    default:
      throw new Fault(59, `Explain failed due to unknown command: ${name}`);
  }
}

/** The command that tells how others would run. */
export const explaining: Record<string, Command> = { explain };
