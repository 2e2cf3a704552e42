import { compileAccumulators } from './accumulators.ts';
import { Fault } from './errors.ts';
import { compileExpression, rootVariables } from './expressions.ts';
import { encodeValue } from './keys.ts';
import { compileFilter } from './match.ts';
import type { Found } from './scan.ts';
import { docOf } from './scan.ts';
import { parseSort, sortItems } from './sort.ts';
import { compileTransform } from './transforms.ts';
import type { Doc } from './values.ts';
import { encode, fromNumber, isDoc, toInteger } from './values.ts';

/** A stage of a pipeline: a lazy sequence out of a lazy sequence. */
export type Stage = (input: Iterable<Found>) => Iterable<Found>;

/** Runs a pipeline over another collection of the database, for `$unionWith`. */
export type RunOn = (collection: string, pipeline: unknown[]) => Iterable<Found>;

/** A computed document as a stage hands it on; it is encoded when it leaves the pipeline. */
export function computed(doc: Doc): Found {
  return {
    doc,
    get raw() {
      return encode(doc);
    },
  };
}

/** The name and operand of each stage. Throws if one is not a document with exactly one field. */
export function readStages(pipeline: unknown): { name: string; operand: unknown }[] {
  if (!Array.isArray(pipeline)) throw new Fault(14, "'pipeline' option must be specified as an array");
  return pipeline.map((stage) => {
    if (!isDoc(stage)) throw new Fault(14, "Each element of the 'pipeline' array must be an object");
    const [name, ...more] = Object.keys(stage);
    if (name === undefined || more.length > 0) {
      throw new Fault(40323, 'A pipeline stage specification object must contain exactly one field.');
    }
    return { name, operand: stage[name] };
  });
}

/**
 * Compiles one stage. Source of the semantics: MongoDB manual, "Aggregation Stages".
 * @throws Fault 40324 for an unknown stage
 */
export function compileStage(name: string, operand: unknown, runOn: RunOn): Stage {
  const transform = compileTransform(name, operand);
  if (transform !== undefined) return eachDoc(transform);
  switch (name) {
    case '$match': {
      if (!isDoc(operand)) throw new Fault(15959, 'the match filter must be an expression in an object');
      const filter = compileFilter(operand);
      return function* (input) {
        for (const item of input) if (filter.test(docOf(item))) yield item;
      };
    }
    case '$sort': {
      const sort = parseSort(operand);
      if (sort === undefined) throw new Fault(15976, '$sort stage must have at least one sort key');
      return (input) => sortItems(input, docOf, sort);
    }
    case '$limit': {
      const limit = toInteger(operand, '$limit');
      if (limit <= 0) throw new Fault(15958, 'the limit must be positive');
      return (input) => take(input, limit);
    }
    case '$skip': {
      const skip = toInteger(operand, '$skip');
      if (skip < 0)
        throw new Fault(5107200, `invalid argument to $skip stage: Expected a non-negative number in: $skip: ${skip}`);
      return (input) => drop(input, skip);
    }
    case '$count':
      if (typeof operand !== 'string' || operand === '' || /^\$|\.|\0/.test(operand)) {
        throw new Fault(40157, 'the count field must be a non-empty string without $ and .');
      }
      return function* (input) {
        let count = 0;
        for (const _ of input) count++;
        if (count > 0) yield computed({ [operand]: fromNumber(count) });
      };
    case '$group':
      return group(operand);
    case '$unionWith': {
      const spec = typeof operand === 'string' ? { coll: operand } : operand;
      if (!isDoc(spec) || typeof spec.coll !== 'string') throw new Fault(9, "$unionWith needs a 'coll'");
      const { coll, pipeline = [] } = spec;
      return function* (input) {
        yield* input;
        yield* runOn(coll, pipeline as unknown[]);
      };
    }
    default:
      throw new Fault(40324, `Unrecognized pipeline stage name: '${name}'`);
  }
}

function eachDoc(transform: (doc: Doc) => Doc): Stage {
  return function* (input) {
    for (const item of input) yield computed(transform(docOf(item)));
  };
}

/** The first `limit` items; it asks for no more than that. */
export function* take<T>(input: Iterable<T>, limit: number): Generator<T> {
  let left = limit;
  if (left <= 0) return;
  for (const item of input) {
    yield item;
    if (--left === 0) return;
  }
}

/** All but the first `skip` items. */
export function* drop<T>(input: Iterable<T>, skip: number): Generator<T> {
  let left = skip;
  for (const item of input) if (--left < 0) yield item;
}

function group(operand: unknown): Stage {
  if (!isDoc(operand)) throw new Fault(15947, "a group's fields must be specified in an object");
  if (!('_id' in operand)) throw new Fault(15955, 'a group specification must include an _id');
  const { _id: idSpec, ...fields } = operand;
  const idOf = compileExpression(idSpec);
  const accumulators = compileAccumulators(fields);
  return function* (input) {
    const groups = new Map<string, { id: unknown; states: ReturnType<typeof accumulators.start> }>();
    for (const item of input) {
      const scope = rootVariables(docOf(item));
      const id = idOf(scope) ?? null;
      const key = encodeValue(id).toString('latin1');
      let entry = groups.get(key);
      if (entry === undefined) {
        entry = { id, states: accumulators.start() };
        groups.set(key, entry);
      }
      accumulators.add(entry.states, scope);
    }
    for (const { id, states } of groups.values()) yield computed({ _id: id, ...accumulators.finish(states) });
  };
}
