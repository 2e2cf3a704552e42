import { docOf } from '../plan/found.ts';
import { compileFilter } from '../query/match.ts';
import { compileProjection } from '../query/projection.ts';
import { parseSort } from '../query/sort.ts';
import type { Collection } from '../storage/collection.ts';
import type { Update } from '../update/types.ts';
import { compileUpdate } from '../update/update.ts';
import { type Doc, encode } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { int } from '../values/numbers.ts';
import { type Command, targetOf } from './command.ts';
import { docField, flag } from './fields.ts';
import { matches } from './matches.ts';
import type { QuerySpec } from './query.ts';
import { insertOne, updateFound } from './storing.ts';

export const findAndModify: Command = {
  fields: ['query', 'sort', 'remove', 'update', 'new', 'fields', 'upsert', 'hint', 'bypassDocumentValidation'],
  run: (engine, request) => {
    const namespace = targetOf(request);
    const { body } = request;
    const filter = compileFilter(docField(body, 'query'));
    const spec: QuerySpec = { filter, sort: parseSort(body.sort), limit: 1, hint: body.hint };
    const change = changeOf(body);
    const project = projectionOf(body);
    const find = (collection: Collection | undefined) =>
      collection === undefined ? undefined : matches(engine, collection, spec)[0];

    if (change === undefined) {
      return engine.write(() => {
        const collection = engine.catalog.find(namespace);
        const found = find(collection);
        if (found === undefined) return { lastErrorObject: { n: int(0) }, value: null };
        engine.records.remove(collection!, docOf(found));
        return { lastErrorObject: { n: int(1) }, value: project(docOf(found)) };
      });
    }

    const isNew = flag(body, 'new');
    const bypass = flag(body, 'bypassDocumentValidation');
    return engine.write(() => {
      const collection = engine.catalog.find(namespace);
      const found = find(collection);
      if (found !== undefined) {
        const { after } = updateFound(engine, collection!, found, change, filter, bypass);
        const value = project(isNew ? after : docOf(found));
        return { lastErrorObject: { n: int(1), updatedExisting: true }, value };
      }
      if (!flag(body, 'upsert')) return { lastErrorObject: { n: int(0), updatedExisting: false }, value: null };
      const doc = change.upsert(filter);
      insertOne(engine, collection ?? engine.ensure(namespace), doc, encode(doc), bypass);
      const lastErrorObject = { n: int(1), updatedExisting: false, upserted: doc._id };
      return { lastErrorObject, value: isNew ? project(doc) : null };
    });
  },
};

/** The update of the command; undefined if it removes. */
function changeOf(body: Doc): Update | undefined {
  if (!flag(body, 'remove')) {
    if (body.update === undefined) throw new Fault(9, 'Either an update or remove=true must be specified');
    return compileUpdate(body.update);
  }
  if (body.update !== undefined) throw new Fault(9, 'Cannot specify both an update and remove=true');
  if (flag(body, 'new')) {
    throw new Fault(9, "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document");
  }
  if (flag(body, 'upsert')) throw new Fault(9, 'Cannot specify both upsert=true and remove=true');
  return undefined;
}

function projectionOf(body: Doc): (doc: Doc) => Doc {
  const fields = docField(body, 'fields');
  if (fields === undefined || Object.keys(fields).length === 0) return (doc) => doc;
  return compileProjection(fields).apply;
}
