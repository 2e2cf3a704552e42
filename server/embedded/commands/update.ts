import { compileFilter } from '../query/match.ts';
import type { Engine } from '../storage/engine.ts';
import { compileUpdate } from '../update/update.ts';
import { type Doc, encode } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { int } from '../values/numbers.ts';
import { type Command, targetOf } from './command.ts';
import { flag } from './fields.ts';
import { matches } from './matches.ts';
import { checkStatement, eachStatement, statementsOf } from './statements.ts';
import { insertOne, updateFound } from './storing.ts';

/** What one statement did. */
interface Outcome {
  matched: number;
  modified: number;
  /** The document that an upsert inserted. */
  upserted: Doc | undefined;
}

export const update: Command = {
  fields: ['updates', 'ordered', 'bypassDocumentValidation'],
  run: (engine, request) => {
    const namespace = targetOf(request);
    const { body } = request;
    const statements = statementsOf(body, 'updates');
    const bypass = flag(body, 'bypassDocumentValidation');
    return engine.write(() => {
      let n = 0;
      let nModified = 0;
      const upserted: Doc[] = [];
      const errors = eachStatement(body, statements, (statement, at) => {
        const outcome = runStatement(engine, namespace, statement, bypass);
        n += outcome.matched;
        nModified += outcome.modified;
        if (outcome.upserted === undefined) return;
        upserted.push({ index: int(at), _id: outcome.upserted._id });
        n++;
      });
      return { n: int(n), nModified: int(nModified), ...(upserted.length > 0 ? { upserted } : {}), ...errors };
    });
  },
};

function runStatement(engine: Engine, namespace: string, statement: Doc, bypass: boolean): Outcome {
  checkStatement('update.updates', statement, ['q', 'u', 'multi', 'upsert', 'hint']);
  const filter = compileFilter(statement.q);
  const change = compileUpdate(statement.u);
  const isMulti = flag(statement, 'multi');
  if (isMulti && change.isReplacement) {
    throw new Fault(9, 'multi update is not supported for replacement-style update');
  }
  let collection = engine.catalog.find(namespace);
  const limit = isMulti ? Infinity : 1;
  const found = collection === undefined ? [] : matches(engine, collection, { filter, limit, hint: statement.hint });
  let modified = 0;
  for (const each of found) {
    const result = updateFound(engine, collection!, each, change, filter, bypass);
    collection = result.collection;
    if (result.isChanged) modified++;
  }
  if (found.length > 0 || !flag(statement, 'upsert')) return { matched: found.length, modified, upserted: undefined };
  const upserted = change.upsert(filter);
  insertOne(engine, collection ?? engine.ensure(namespace), upserted, encode(upserted), bypass);
  return { matched: 0, modified: 0, upserted };
}
