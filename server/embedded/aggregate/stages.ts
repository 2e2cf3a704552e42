import { computed, docOf, transformed } from '../plan/found.ts';
import { compileFilter } from '../query/match.ts';
import type { Transform } from '../query/projection.ts';
import { parseSort, sortItems } from '../query/sort.ts';
import { compileTransform, readStage } from '../query/transforms.ts';
import { type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { toInteger } from '../values/integer.ts';
import { fromNumber } from '../values/numbers.ts';
import { group } from './group.ts';
import { dropFirst, type RunOn, type Stage, take } from './stage.ts';

function match(operand: unknown): Stage {
  const filter = compileFilter(matchOperand(operand));
  return function* (input) {
    for (const item of input) if (filter.test(docOf(item))) yield item;
  };
}

/** The operand of a `$match`, checked. */
export function matchOperand(operand: unknown): Doc {
  if (!isDoc(operand)) throw new Fault(15959, 'the match filter must be an expression in an object');
  return operand;
}

function sort(operand: unknown): Stage {
  const spec = parseSort(operand);
  if (spec === undefined) throw new Fault(15976, '$sort stage must have at least one sort key');
  return (input) => sortItems(input, docOf, spec);
}

function limit(operand: unknown): Stage {
  const count = toInteger(operand, '$limit');
  if (count <= 0) throw new Fault(15958, 'the limit must be positive');
  return (input) => take(input, count);
}

function skip(operand: unknown): Stage {
  const count = toInteger(operand, '$skip');
  if (count < 0) {
    throw new Fault(5107200, `invalid argument to $skip stage: Expected a non-negative number in: $skip: ${count}`);
  }
  return (input) => dropFirst(input, count);
}

function countDocuments(operand: unknown): Stage {
  if (typeof operand !== 'string' || operand === '' || /^\$|\.|\0/.test(operand)) {
    throw new Fault(40157, 'the count field must be a non-empty string without $ and .');
  }
  return function* (input) {
    let count = 0;
    for (const _ of input) count++;
    if (count > 0) yield computed({ [operand]: fromNumber(count) });
  };
}

function unionWith(operand: unknown, runOn: RunOn): Stage {
  const spec = typeof operand === 'string' ? { coll: operand } : operand;
  if (!isDoc(spec) || typeof spec.coll !== 'string') throw new Fault(9, "$unionWith needs a 'coll'");
  const { coll, pipeline = [] } = spec;
  return function* (input) {
    yield* input;
    yield* runOn(coll, pipeline as unknown[]);
  };
}

const STAGES: Record<string, (operand: unknown, runOn: RunOn) => Stage> = {
  $match: match,
  $sort: sort,
  $limit: limit,
  $skip: skip,
  $count: countDocuments,
  $group: group,
  $unionWith: unionWith,
};

/**
 * Compiles a stage. Source of the semantics: MongoDB manual, "Aggregation Stages".
 * @throws Fault 40324 for an unknown stage
 */
export function compileStage(name: string, operand: unknown, runOn: RunOn): Stage {
  const transform = compileTransform(name, operand);
  if (transform !== undefined) return eachDocument(transform);
  const compile = Object.hasOwn(STAGES, name) ? STAGES[name] : undefined;
  if (compile === undefined) throw new Fault(40324, `Unrecognized pipeline stage name: '${name}'`);
  return compile(operand, runOn);
}

function eachDocument(transform: Transform): Stage {
  return function* (input) {
    for (const item of input) yield transformed(item, transform);
  };
}

/**
 * The names and operands of a pipeline's stages.
 * @throws Fault TypeMismatch if it is not an array of documents, 40323 for a stage without exactly one field
 */
export function readStages(pipeline: unknown): { name: string; operand: unknown }[] {
  if (!Array.isArray(pipeline)) throw new Fault(14, "'pipeline' option must be specified as an array");
  return pipeline.map((stage) => {
    if (!isDoc(stage)) throw new Fault(14, "Each element of the 'pipeline' array must be an object");
    return readStage(stage);
  });
}
