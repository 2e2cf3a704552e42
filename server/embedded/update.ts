import { ObjectId } from 'bson';
import { Fault } from './errors.ts';
import { compare } from './keys.ts';
import type { Filter } from './match.ts';
import { matchedIndex } from './positional.ts';
import { compileTransforms } from './transforms.ts';
import { modifiers } from './update-operators.ts';
import { concretePath, setAt } from './update-paths.ts';
import type { Doc } from './values.ts';
import { clone, isDoc, setField, typeName } from './values.ts';

/** A compiled update. */
export interface Update {
  /** The document after the update; the one given is left as it is. `filter` is what found it, for `$`. */
  apply(doc: Doc, filter: Filter): Doc;
  /** The document that an upsert inserts when nothing matched. */
  upsert(filter: Filter): Doc;
  isReplacement: boolean;
}

/**
 * Compiles the update of a command: operators, a replacement or a pipeline.
 * Source of the semantics: MongoDB manual, "Update Operators" and "Updates with Aggregation Pipeline".
 * @throws Fault FailedToParse for an unknown operator, ConflictingUpdateOperators, BadValue
 */
export function compileUpdate(update: unknown): Update {
  if (Array.isArray(update)) return compilePipeline(update);
  if (!isDoc(update)) throw new Fault(9, 'Update argument must be either an object or an array');
  const names = Object.keys(update);
  return names[0]?.startsWith('$') ? compileModifiers(update) : compileReplacement(update, names);
}

function compileReplacement(replacement: Doc, names: string[]): Update {
  const dollar = names.find((name) => name.startsWith('$'));
  if (dollar !== undefined) {
    throw new Fault(
      52,
      `The dollar ($) prefixed field '${dollar}' in '${dollar}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
    );
  }
  const replace = (id: unknown) => {
    if (Object.hasOwn(replacement, '_id') && id !== undefined && compare(replacement._id, id) !== 0) throw altered();
    const { _id: own, ...rest } = replacement;
    return id === undefined && own === undefined ? rest : { _id: id ?? own, ...rest };
  };
  return {
    isReplacement: true,
    apply: (doc) => clone(replace(doc._id)),
    upsert: (filter) => withId(clone(replace(equalities(filter).find(({ path }) => path === '_id')?.operand))),
  };
}

function compilePipeline(stages: unknown[]): Update {
  const transform = compileTransforms(stages);
  const apply = (doc: Doc) => keepId(doc, transform(doc));
  return { isReplacement: false, apply, upsert: (filter) => withId(apply(seed(filter))) };
}

function compileModifiers(update: Doc): Update {
  const changes = Object.entries(update).flatMap(([operator, fields]) => {
    const modifier = Object.hasOwn(modifiers, operator) ? modifiers[operator] : undefined;
    if (modifier === undefined) {
      throw new Fault(
        9,
        `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
    }
    if (!isDoc(fields)) {
      throw new Fault(
        9,
        `Modifiers operate on fields but we found type ${typeName(fields)} instead. For example: {$mod: {<field>: ...}} not {${operator}: ${typeName(fields)}}`,
      );
    }
    return Object.entries(fields).map(([path, operand]) => ({
      operator,
      path,
      parts: partsOf(path),
      change: modifier(operand, path),
    }));
  });
  // MongoDB applies the fields in lexicographic order, whatever order the update names them in.
  changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const targets = Object.entries(isDoc(update.$rename) ? update.$rename : {}).map(([, to]) => String(to));
  refuseConflicts([...changes.map(({ path }) => path), ...targets]);
  const roots = new Set([...changes.map(({ parts }) => parts[0]!), ...targets.map((target) => target.split('.')[0]!)]);
  const apply = (before: Doc, filter: Filter, isInsert: boolean): Doc => {
    const doc = copyFor(before, roots);
    const matched = (arrayPath: string[]) => matchedIndex(before, arrayPath, filter);
    for (const { operator, parts, change } of changes) {
      if (operator === '$setOnInsert' && !isInsert) continue;
      change(doc, concretePath(parts, matched));
    }
    return doc;
  };
  return {
    isReplacement: false,
    apply: (doc, filter) => keepId(doc, apply(doc, filter, false)),
    upsert: (filter) => {
      const start = seed(filter);
      return withId(keepId(start, apply(start, filter, true)));
    },
  };
}

/** A copy that shares the fields which are not going to change: indexes over those need no look. */
function copyFor(doc: Doc, roots: Set<string>): Doc {
  const copy: Doc = {};
  for (const [name, value] of Object.entries(doc)) setField(copy, name, roots.has(name) ? clone(value) : value);
  return copy;
}

function partsOf(path: string): string[] {
  const parts = path.split('.');
  if (path === '') throw new Fault(56, 'An empty update path is not valid.');
  if (parts.includes(''))
    throw new Fault(56, `The update path '${path}' contains an empty field name, which is not allowed.`);
  if (parts[0]!.startsWith('$')) {
    throw new Fault(2, `Cannot have positional (i.e. '$') element in the first position in path '${path}'`);
  }
  const strange = parts.find((part) => part.startsWith('$') && part !== '$');
  if (strange !== undefined)
    throw new Fault(52, `The dollar ($) prefixed field '${strange}' in '${path}' is not valid for storage.`);
  return parts;
}

function refuseConflicts(paths: string[]): void {
  const sorted = [...paths].sort();
  for (const [at, path] of sorted.entries()) {
    const other = sorted.slice(at + 1).find((next) => next === path || next.startsWith(`${path}.`));
    if (other !== undefined) throw new Fault(40, `Updating the path '${other}' would create a conflict at '${path}'`);
  }
}

function equalities(filter: Filter) {
  return filter.conditions.filter(({ op }) => op === '$eq');
}

/** What an upsert begins with: the fields that the query fixes by equality. */
function seed(filter: Filter): Doc {
  const doc: Doc = {};
  const paths: string[] = [];
  for (const { path, operand } of equalities(filter)) {
    if (paths.includes(path)) {
      throw new Fault(54, `cannot infer query fields to set, path '${path}' is matched twice`);
    }
    paths.push(path);
    setAt(doc, path.split('.'), clone(operand));
  }
  return doc;
}

function keepId(before: Doc, after: Doc): Doc {
  if (before._id === undefined) return after;
  if (Object.hasOwn(after, '_id')) {
    if (compare(before._id, after._id) === 0) return after;
    throw new Fault(66, "Performing an update on the path '_id' would modify the immutable field '_id'");
  }
  throw new Fault(66, "Performing an update on the path '_id' would modify the immutable field '_id'");
}

function altered(): Fault {
  return new Fault(66, "After applying the update, the (immutable) field '_id' was found to have been altered");
}

/** The document with its `_id` in front, a new one if it has none. */
export function withId(doc: Doc): Doc {
  const { _id: id = new ObjectId(), ...rest } = doc;
  return { _id: id, ...rest };
}
