import { docOf } from '../plan/found.ts';
import { compileFilter } from '../query/match.ts';
import type { Engine } from '../storage/engine.ts';
import type { Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { toInteger } from '../values/integer.ts';
import { int } from '../values/numbers.ts';
import { type Command, targetOf } from './command.ts';
import { matches } from './matches.ts';
import { checkStatement, eachStatement, statementsOf } from './statements.ts';

export const deleteCommand: Command = {
  fields: ['deletes', 'ordered'],
  run: (engine, request) => {
    const namespace = targetOf(request);
    const statements = statementsOf(request.body, 'deletes');
    return engine.write(() => {
      let n = 0;
      const errors = eachStatement(request.body, statements, (statement) => {
        n += runStatement(engine, namespace, statement);
      });
      return { n: int(n), ...errors };
    });
  },
};

/** Returns how many documents the statement removed. */
function runStatement(engine: Engine, namespace: string, statement: Doc): number {
  checkStatement('delete.deletes', statement, ['q', 'limit', 'hint']);
  const filter = compileFilter(statement.q);
  const limit = toInteger(statement.limit, 'delete.deletes.limit');
  if (limit !== 0 && limit !== 1) {
    throw new Fault(9, `The limit field in delete objects must be 0 or 1. Got ${limit}`);
  }
  const collection = engine.catalog.find(namespace);
  if (collection === undefined) return 0;
  const found = matches(engine, collection, { filter, limit: limit || Infinity, hint: statement.hint });
  for (const each of found) engine.records.remove(collection, docOf(each));
  return found.length;
}
