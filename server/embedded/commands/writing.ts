import { BSONRegExp } from 'bson';
import type { Collection } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import { Fault } from '../errors.ts';
import type { Filter } from '../match.ts';
import { compileFilter } from '../match.ts';
import { compileProjection } from '../projection.ts';
import { int } from '../reply.ts';
import type { Found } from '../scan.ts';
import { docOf, nothingExamined, runPlan } from '../scan.ts';
import type { SortSpec } from '../sort.ts';
import { parseSort } from '../sort.ts';
import { choosePlan } from '../trial.ts';
import type { Update } from '../update.ts';
import { compileUpdate, withId } from '../update.ts';
import type { Doc } from '../values.ts';
import { decode, encode, isDoc, isTruthy, toInteger } from '../values.ts';
import type { Command } from './command.ts';
import { docField, docsField, flag, targetOf } from './command.ts';

const MAX_DOCUMENT = 16 * 1024 * 1024;
/** Levels of nesting in a stored document, as MongoDB limits them. */
const MAX_DEPTH = 180;

/** Stores one document that has its `_id` in front already, if its collection's validator lets it. */
function insertOne(engine: Engine, collection: Collection, doc: Doc, raw: Uint8Array, bypass: boolean): Collection {
  checkStorable(doc, raw);
  if (!bypass) validate(collection, doc);
  return engine.records.insert(collection, doc, raw);
}

function checkStorable(doc: Doc, raw: Uint8Array): void {
  if (raw.length > MAX_DOCUMENT) {
    throw new Fault(10334, `BSONObj size: ${raw.length} is invalid. Size must be between 0 and ${MAX_DOCUMENT}(16MB)`);
  }
  if (isDeeperThan(MAX_DEPTH, doc)) {
    throw new Fault(15, `cannot insert document because it exceeds ${MAX_DEPTH} levels of nesting`);
  }
  const id = doc._id;
  if (Array.isArray(id)) throw new Fault(53, "The '_id' value cannot be of type array");
  if (id instanceof BSONRegExp) throw new Fault(53, "The '_id' value cannot be of type regex");
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (Array.isArray(value)) return levels === 0 || value.some((element) => isDeeperThan(levels - 1, element));
  return isDoc(value) && (levels === 0 || Object.values(value).some((field) => isDeeperThan(levels - 1, field)));
}

function validate({ validate: test, options }: Collection, doc: Doc, before?: Doc): void {
  if (test === undefined || options.validationLevel === 'off' || options.validationAction === 'warn') return;
  const details = test(doc);
  if (details === undefined) return;
  if (before !== undefined && options.validationLevel === 'moderate' && test(before) !== undefined) return;
  throw new Fault(121, 'Document failed validation', { errInfo: { failingDocumentId: doc._id, details } });
}

/** The documents that a write is about, found before anything of it changes. */
function matches(
  engine: Engine,
  collection: Collection,
  filter: Filter,
  limit: number,
  sort?: SortSpec,
  hint?: unknown,
): Found[] {
  const plan = choosePlan(engine.storage, collection, filter, sort, limit, hint);
  const found: Found[] = [];
  if (limit === 0) return found;
  for (const item of runPlan(engine.storage, collection, plan, sort, limit, nothingExamined(), () => {})) {
    found.push(item);
    if (found.length === limit) break;
  }
  return found;
}

/** Stores the updated document; `changed` tells whether that made any difference. */
function updateFound(
  engine: Engine,
  collection: Collection,
  found: Found,
  update: Update,
  filter: Filter,
  bypass: boolean,
) {
  const before = docOf(found);
  const after = update.apply(before, filter);
  const raw = encode(after);
  if (Buffer.compare(raw, found.raw) === 0) return { collection, after: before, changed: false };
  checkStorable(after, raw);
  if (!bypass) validate(collection, after, before);
  return { collection: engine.records.replace(collection, before, after, raw), after, changed: true };
}

/** Runs each statement; what fails is reported by its place, and ends the command if it is ordered. */
function eachStatement<T>(statements: T[], ordered: boolean, run: (statement: T, at: number) => void): Doc[] {
  const writeErrors: Doc[] = [];
  for (const [at, statement] of statements.entries()) {
    try {
      run(statement, at);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      writeErrors.push({ index: int(at), code: int(error.code), errmsg: error.message, ...error.extra });
      if (ordered) break;
    }
  }
  return writeErrors;
}

function isOrdered(body: Doc): boolean {
  return body.ordered === undefined || isTruthy(body.ordered);
}

function withErrors(reply: Doc, writeErrors: Doc[]): Doc {
  return writeErrors.length === 0 ? reply : { ...reply, writeErrors };
}

const insert: Command = {
  fields: ['documents', 'ordered', 'bypassDocumentValidation'],
  run: (engine, request) => {
    const namespace = targetOf(request);
    const { documents, body } = request;
    if (documents.length === 0 || documents.length > 100_000) {
      throw new Fault(16, `Write batch sizes must be between 1 and 100000. Got ${documents.length} operations.`);
    }
    const decoded = documents.map((raw) => prepared(raw));
    return engine.write(() => {
      let collection = engine.ensure(namespace);
      let n = 0;
      const errors = eachStatement(decoded, isOrdered(body), ({ doc, raw }) => {
        collection = insertOne(engine, collection, doc, raw, flag(body, 'bypassDocumentValidation'));
        n++;
      });
      return withErrors({ n: int(n) }, errors);
    });
  },
};

/** MongoDB stores the `_id` as the first field. */
function prepared(raw: Uint8Array): { doc: Doc; raw: Uint8Array } {
  const doc = decode(raw);
  if (Object.keys(doc)[0] === '_id') return { doc, raw };
  const first = withId(doc);
  return { doc: first, raw: encode(first) };
}

const update: Command = {
  fields: ['updates', 'ordered', 'bypassDocumentValidation'],
  run: (engine, request) => {
    const namespace = targetOf(request);
    const statements = docsField(request.body, 'updates');
    const bypass = flag(request.body, 'bypassDocumentValidation');
    return engine.write(() => {
      let n = 0;
      let nModified = 0;
      const upserted: Doc[] = [];
      const errors = eachStatement(statements, isOrdered(request.body), (statement, at) => {
        checkStatement('update.updates', statement, ['q', 'u', 'multi', 'upsert', 'hint']);
        const filter = compileFilter(statement.q);
        const change = compileUpdate(statement.u);
        const multi = flag(statement, 'multi');
        if (multi && change.isReplacement)
          throw new Fault(9, 'multi update is not supported for replacement-style update');
        let collection = engine.catalog.find(namespace);
        const found =
          collection === undefined
            ? []
            : matches(engine, collection, filter, multi ? Infinity : 1, undefined, statement.hint);
        for (const each of found) {
          const result = updateFound(engine, collection!, each, change, filter, bypass);
          collection = result.collection;
          n++;
          if (result.changed) nModified++;
        }
        if (found.length > 0 || !flag(statement, 'upsert')) return;
        const doc = change.upsert(filter);
        insertOne(engine, collection ?? engine.ensure(namespace), doc, encode(doc), bypass);
        upserted.push({ index: int(at), _id: doc._id });
        n++;
      });
      const reply = { n: int(n), nModified: int(nModified), ...(upserted.length > 0 ? { upserted } : {}) };
      return withErrors(reply, errors);
    });
  },
};

const remove: Command = {
  fields: ['deletes', 'ordered'],
  run: (engine, request) => {
    const namespace = targetOf(request);
    const statements = docsField(request.body, 'deletes');
    return engine.write(() => {
      let n = 0;
      const errors = eachStatement(statements, isOrdered(request.body), (statement) => {
        checkStatement('delete.deletes', statement, ['q', 'limit', 'hint']);
        const filter = compileFilter(statement.q);
        const limit = toInteger(statement.limit, 'delete.deletes.limit');
        if (limit !== 0 && limit !== 1)
          throw new Fault(9, `The limit field in delete objects must be 0 or 1. Got ${limit}`);
        const collection = engine.catalog.find(namespace);
        if (collection === undefined) return;
        for (const found of matches(engine, collection, filter, limit || Infinity, undefined, statement.hint)) {
          engine.records.remove(collection, docOf(found));
          n++;
        }
      });
      return withErrors({ n: int(n) }, errors);
    });
  },
};

function checkStatement(name: string, statement: Doc, known: string[]): void {
  const unknown = Object.keys(statement).find((field) => !known.includes(field));
  if (unknown !== undefined) throw new Fault(40415, `BSON field '${name}.${unknown}' is an unknown field.`);
}

const findAndModify: Command = {
  fields: ['query', 'sort', 'remove', 'update', 'new', 'fields', 'upsert', 'hint', 'bypassDocumentValidation'],
  run: (engine, request) => {
    const namespace = targetOf(request);
    const { body } = request;
    const filter = compileFilter(docField(body, 'query') ?? {});
    const sort = parseSort(body.sort);
    const isRemoval = flag(body, 'remove');
    const change = modification(body, isRemoval);
    const fields = docField(body, 'fields');
    const project =
      fields === undefined || Object.keys(fields).length === 0 ? (doc: Doc) => doc : compileProjection(fields);
    const bypass = flag(body, 'bypassDocumentValidation');
    return engine.write(() => {
      const collection = engine.catalog.find(namespace);
      const found = collection === undefined ? undefined : matches(engine, collection, filter, 1, sort, body.hint)[0];
      if (collection !== undefined && found !== undefined) {
        if (change === undefined) {
          engine.records.remove(collection, docOf(found));
          return { lastErrorObject: { n: int(1) }, value: project(docOf(found)) };
        }
        const { after } = updateFound(engine, collection, found, change, filter, bypass);
        return {
          lastErrorObject: { n: int(1), updatedExisting: true },
          value: project(flag(body, 'new') ? after : docOf(found)),
        };
      }
      if (change === undefined) return { lastErrorObject: { n: int(0) }, value: null };
      if (!flag(body, 'upsert')) return { lastErrorObject: { n: int(0), updatedExisting: false }, value: null };
      const doc = change.upsert(filter);
      insertOne(engine, collection ?? engine.ensure(namespace), doc, encode(doc), bypass);
      return {
        lastErrorObject: { n: int(1), updatedExisting: false, upserted: doc._id },
        value: flag(body, 'new') ? project(doc) : null,
      };
    });
  },
};

function modification(body: Doc, isRemoval: boolean): Update | undefined {
  if (!isRemoval) {
    if (body.update === undefined) throw new Fault(9, 'Either an update or remove=true must be specified');
    return compileUpdate(body.update);
  }
  if (body.update !== undefined) throw new Fault(9, 'Cannot specify both an update and remove=true');
  if (flag(body, 'new'))
    throw new Fault(9, "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document");
  if (flag(body, 'upsert')) throw new Fault(9, 'Cannot specify both upsert=true and remove=true');
  return undefined;
}

/** The commands that change documents. */
export const writing: Record<string, Command> = {
  insert,
  update,
  delete: remove,
  findAndModify,
};
