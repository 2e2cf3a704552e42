import { BSONRegExp, MaxKey, MinKey, ObjectId } from 'bson';
import { Fault } from './errors.ts';
import { compileExpression, rootVariables } from './expressions.ts';
import { compare, typeOrder } from './keys.ts';
import { reach } from './paths.ts';
import type { Doc } from './values.ts';
import { isDoc, isNumber, isTruthy, toInteger, toNumber, typeAliases, typeName } from './values.ts';

export type Test = (value: unknown) => boolean;

/** One condition on one path, as the planner sees it; `operand` belongs to `op`. */
export interface Condition {
  path: string;
  op: '$eq' | '$in' | '$gt' | '$gte' | '$lt' | '$lte' | '$exists' | '$type' | '$regex' | 'other';
  operand: unknown;
}

/** A compiled filter: a test for documents, and what the planner can use of it. */
export interface Filter {
  test(doc: Doc): boolean;
  /** Conditions that all have to hold (with `ors` they are the whole filter). */
  conditions: Condition[];
  /** The `$or`s that all have to hold beside the conditions, each a list of alternatives. */
  ors: Filter[][];
}

const everything: Filter = { test: () => true, conditions: [], ors: [] };

/**
 * Compiles a query document.
 * Source of the semantics: MongoDB manual, "Query and Projection Operators".
 * @throws Fault BadValue for an unknown operator or a wrong operand
 */
export function compileFilter(query: unknown): Filter {
  if (query === undefined || query === null) return everything;
  if (!isDoc(query)) throw new Fault(14, `Expected field filter to be of type object, not ${typeName(query)}`);
  const parts = Object.entries(query).map(([name, operand]) =>
    name.startsWith('$') ? compileLogical(name, operand) : compileField(name, operand),
  );
  return allOf(parts);
}

/** The conjunction of filters. */
export function allOf(parts: Filter[]): Filter {
  if (parts.length === 0) return everything;
  if (parts.length === 1) return parts[0]!;
  const tests = parts.map((part) => part.test);
  return {
    test: (doc) => tests.every((test) => test(doc)),
    conditions: parts.flatMap((part) => part.conditions),
    ors: parts.flatMap((part) => part.ors),
  };
}

/** A filter that only its test knows: the planner takes it as one more condition it can do nothing with. */
function opaque(test: Filter['test']): Filter {
  return { test, conditions: [{ path: '', op: 'other', operand: undefined }], ors: [] };
}

function compileLogical(name: string, operand: unknown): Filter {
  switch (name) {
    case '$and':
      return allOf(clauses(name, operand));
    case '$or': {
      const alternatives = clauses(name, operand);
      if (alternatives.length === 1) return alternatives[0]!;
      return { test: (doc) => alternatives.some((a) => a.test(doc)), conditions: [], ors: [alternatives] };
    }
    case '$nor': {
      const alternatives = clauses(name, operand);
      return opaque((doc) => !alternatives.some((a) => a.test(doc)));
    }
    case '$expr': {
      const expression = compileExpression(operand);
      return opaque((doc) => isTruthy(expression(rootVariables(doc))));
    }
    default:
      throw new Fault(
        2,
        `unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
      );
  }
}

function clauses(name: string, operand: unknown): Filter[] {
  if (!Array.isArray(operand)) throw new Fault(2, `${name} must be an array`);
  if (operand.length === 0) throw new Fault(2, '$and/$or/$nor must be a nonempty array');
  return operand.map((clause) => {
    if (!isDoc(clause)) throw new Fault(2, '$or/$and/$nor entries need to be full objects');
    return compileFilter(clause);
  });
}

/** Whether the operand is a document of operators, not a value to be equal to. */
export function isOperators(operand: unknown): operand is Doc {
  if (!isDoc(operand)) return false;
  const first = Object.keys(operand)[0];
  return first?.startsWith('$') === true && first !== '$ref' && first !== '$id' && first !== '$db';
}

function compileField(path: string, operand: unknown): Filter {
  const parts = path.split('.');
  if (!isOperators(operand)) {
    return operand instanceof BSONRegExp
      ? compileOperator(path, parts, '$regex', operand, {})
      : compileOperator(path, parts, '$eq', operand, {});
  }
  return allOf(
    Object.entries(operand)
      .filter(([op]) => op !== '$options' || !('$regex' in operand))
      .map(([op, value]) => compileOperator(path, parts, op, value, operand)),
  );
}

function compileOperator(path: string, parts: string[], op: string, operand: unknown, siblings: Doc): Filter {
  const anyReached = (test: Test): Filter['test'] =>
    parts.length === 1
      ? (doc) => test(Object.hasOwn(doc, path) ? doc[path] : undefined)
      : (doc) => reach(doc, parts).some(test);
  const condition = (kind: Condition['op'], test: Filter['test']): Filter => ({
    test,
    conditions: [{ path, op: kind, operand }],
    ors: [],
  });

  switch (op) {
    case '$eq':
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return condition(op, anyReached(comparison(op, operand)));
    case '$in':
      return condition('$in', anyReached(membership(op, operand)));
    case '$exists': {
      const exists = anyReached((value) => value !== undefined);
      return condition('$exists', isTruthy(operand) ? exists : (doc) => !exists(doc));
    }
    case '$type':
      return condition('$type', anyReached(typeTest(operand)));
    case '$regex':
      return condition('$regex', anyReached(elementwise(regexTest(operand, siblings.$options))));
    case '$ne': {
      const equal = anyReached(comparison('$eq', operand));
      return condition('other', (doc) => !equal(doc));
    }
    case '$nin': {
      const among = anyReached(membership(op, operand));
      return condition('other', (doc) => !among(doc));
    }
    case '$not': {
      const negated = negatable(path, operand);
      return condition('other', (doc) => !negated.test(doc));
    }
    case '$all':
      return compileAll(path, parts, operand);
    default:
      return condition('other', anyReached(arrayOrScalarTest(op, operand)));
  }
}

function negatable(path: string, operand: unknown): Filter {
  if (operand instanceof BSONRegExp) return compileField(path, operand);
  if (!isDoc(operand)) throw new Fault(2, '$not needs a regex or a document');
  if (!isOperators(operand)) throw new Fault(2, '$not cannot be empty');
  return compileField(path, operand);
}

function compileAll(path: string, parts: string[], operand: unknown): Filter {
  if (!Array.isArray(operand)) throw new Fault(2, '$all needs an array');
  if (operand.length === 0) return opaque(() => false);
  return allOf(
    operand.map((value) => {
      if (isDoc(value) && '$elemMatch' in value)
        return compileOperator(path, parts, '$elemMatch', value.$elemMatch, {});
      return compileField(path, isOperators(value) ? { $eq: value } : value);
    }),
  );
}

/** A test that holds for the value itself or, if it is an array, for one of its elements. */
function elementwise(test: Test): Test {
  return (value) => test(value) || (Array.isArray(value) && value.some(test));
}

function comparison(op: '$eq' | '$gt' | '$gte' | '$lt' | '$lte', operand: unknown): Test {
  if (op === '$eq') return elementwise(equality(operand));
  if (operand instanceof BSONRegExp) throw new Fault(2, `Can't have RegEx as arg to predicate over field '${op}'.`);
  if (operand instanceof MinKey || operand instanceof MaxKey)
    throw new Fault(238, `${op} with MinKey or MaxKey is not supported here`);
  if (operand === null) return op === '$gte' || op === '$lte' ? elementwise(equality(null)) : () => false;
  const type = typeOrder(operand);
  const isNaNOperand = isNumber(operand) && Number.isNaN(toNumber(operand));
  if (isNaNOperand) return op === '$gte' || op === '$lte' ? elementwise(equality(operand)) : () => false;
  const holds: (order: number) => boolean =
    op === '$gt' ? (o) => o > 0 : op === '$gte' ? (o) => o >= 0 : op === '$lt' ? (o) => o < 0 : (o) => o <= 0;
  return elementwise((value) => {
    if (value === undefined || typeOrder(value) !== type) return false;
    if (type === numberOrder && Number.isNaN(toNumber(value))) return false;
    return holds(compare(value, operand));
  });
}

const numberOrder = typeOrder(0);

function equality(operand: unknown): Test {
  if (operand === null || operand === undefined) return (value) => value === undefined || value === null;
  if (typeof operand === 'string' || typeof operand === 'boolean') return (value) => value === operand;
  if (operand instanceof ObjectId) return (value) => value instanceof ObjectId && operand.equals(value);
  const type = typeOrder(operand);
  return (value) => value !== undefined && typeOrder(value) === type && compare(value, operand) === 0;
}

function membership(op: string, operand: unknown): Test {
  if (!Array.isArray(operand)) throw new Fault(2, `${op} needs an array`);
  const strings = new Set<string>();
  const tests: Test[] = [];
  for (const value of operand) {
    if (typeof value === 'string') strings.add(value);
    else if (value instanceof ObjectId) strings.add(`\0${value.toHexString()}`);
    else if (value instanceof BSONRegExp) tests.push(regexTest(value, undefined));
    else if (isOperators(value)) throw new Fault(2, `cannot nest $ under ${op}`);
    else tests.push(equality(value));
  }
  return elementwise((value) => {
    if (typeof value === 'string' && strings.has(value)) return true;
    if (value instanceof ObjectId && strings.has(`\0${value.toHexString()}`)) return true;
    return tests.some((test) => test(value));
  });
}

function typeTest(operand: unknown): Test {
  const aliases = new Set((Array.isArray(operand) ? operand : [operand]).flatMap(typeAliases));
  return elementwise((value) => value !== undefined && aliases.has(typeName(value)));
}

/** A test by regular expression; an expression also equals itself as a stored value. */
function regexTest(operand: unknown, options: unknown): Test {
  if (typeof operand !== 'string' && !(operand instanceof BSONRegExp)) throw new Fault(2, '$regex has to be a string');
  if (options !== undefined && typeof options !== 'string') throw new Fault(2, '$options has to be a string');
  const pattern = typeof operand === 'string' ? operand : operand.pattern;
  const flags = options ?? (typeof operand === 'string' ? '' : operand.options);
  const regex = compileRegex(pattern, flags);
  return (value) => {
    if (typeof value === 'string') return regex.test(value);
    return value instanceof BSONRegExp && value.pattern === pattern && value.options === flags;
  };
}

/**
 * A PCRE pattern as a JavaScript expression, with MongoDB's options i, m, s, x, u.
 * @throws Fault BadValue for an unknown option, 51091 for a pattern that does not compile
 */
export function compileRegex(pattern: string, options: string): RegExp {
  let flags = 'u';
  for (const option of new Set(options)) {
    if (!'imsxu'.includes(option)) throw new Fault(51108, `invalid flag in regex options: ${option}`);
    if (option === 'x') throw new Fault(238, 'the regex option x is not supported here');
    if (option !== 'u') flags += option;
  }
  try {
    return new RegExp(pattern, flags);
  } catch {
    try {
      return new RegExp(pattern, flags.slice(1));
    } catch {
      throw new Fault(51091, `Regular expression is invalid: ${pattern}`);
    }
  }
}

function arrayOrScalarTest(op: string, operand: unknown): Test {
  switch (op) {
    case '$size': {
      const size = toInteger(operand, '$size');
      if (size < 0) throw new Fault(2, `Failed to parse $size. Expected a non-negative number in: $size: ${size}`);
      return (value) => Array.isArray(value) && value.length === size;
    }
    case '$elemMatch': {
      if (!isDoc(operand)) throw new Fault(2, '$elemMatch needs an Object');
      return elemMatch(operand);
    }
    case '$options':
      throw new Fault(2, '$options needs a $regex');
    default:
      throw new Fault(2, `unknown operator: ${op}`);
  }
}

/** The test of `$elemMatch`: some element of the array value matches the query, or all the operators. */
function elemMatch(operand: Doc): Test {
  const element = elementTest(operand);
  return (value) => Array.isArray(value) && value.some(element);
}

/** A test for an array's element by a query for documents or by operators for values. */
export function elementTest(operand: Doc): Test {
  const logical = ['$and', '$or', '$nor'].some((name) => name in operand);
  if (isOperators(operand) && !logical) {
    const filter = compileField('v', operand);
    return (element) => filter.test({ v: Array.isArray(element) ? [element] : element });
  }
  const filter = compileFilter(operand);
  return (element) => isDoc(element) && filter.test(element);
}
