import { namespaceOf } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import { Fault } from '../errors.ts';
import { compileFilter } from '../match.ts';
import { describePlan, isCollectionScan } from '../planner.ts';
import { int } from '../reply.ts';
import { parseSort } from '../sort.ts';
import type { Doc } from '../values.ts';
import { field, fromNumber, isTruthy } from '../values.ts';
import type { Command, Request } from './command.ts';
import { checkFields, docField, targetOf } from './command.ts';
import type { Query } from './query.ts';
import { letVariables, prepare, prepareAggregate, prepareFind, run } from './query.ts';
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
      checkFields(request, reading.find!.fields);
      return prepareFind(engine, request).query;
    case 'aggregate':
      checkFields(request, reading.aggregate!.fields);
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

/** The command that tells how others would run. */
export const explaining: Record<string, Command> = { explain };
