import { BSONRegExp } from 'bson';
import { compileExpression } from '../expression/compile.ts';
import { rootVariables } from '../expression/expression.ts';
import { type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isTruthy } from '../values/numbers.ts';
import { reach } from '../values/paths.ts';
import { typeName } from '../values/types.ts';
import { allOf, type Condition, EVERYTHING, type Filter, opaque, readsOf, type Test } from './filter.ts';
import { regexTest } from './regex.ts';
import { compileSchema } from './schema.ts';
import { comparisonTest, elementwise, isOperators, membershipTest, sizeTest, typeTest } from './value-tests.ts';

/**
 * Compiles a query document. Source of the semantics: MongoDB manual, "Query and Projection Operators".
 * @throws Fault BadValue for an unknown operator or a wrong operand
 */
export function compileFilter(query: unknown): Filter {
  if (query === undefined || query === null) return EVERYTHING;
  if (!isDoc(query)) throw new Fault(14, `Expected field filter to be of type object, not ${typeName(query)}`);
  const parts = Object.entries(query).map(([name, operand]) =>
    name.startsWith('$') ? compileLogical(name, operand) : compileField(name, operand),
  );
  return allOf(parts);
}

function compileLogical(name: string, operand: unknown): Filter {
  switch (name) {
    case '$and':
      return allOf(clauses(name, operand));
    case '$or': {
      const alternatives = clauses(name, operand);
      if (alternatives.length === 1) return alternatives[0]!;
      const test: Filter['test'] = (doc) => alternatives.some((a) => a.test(doc));
      return { test, reads: readsOf(alternatives), conditions: [], ors: [alternatives] };
    }
    case '$nor': {
      const alternatives = clauses(name, operand);
      return opaque((doc) => !alternatives.some((a) => a.test(doc)), readsOf(alternatives));
    }
    case '$expr': {
      const expression = compileExpression(operand);
      return opaque((doc) => isTruthy(expression(rootVariables(doc))), undefined);
    }
    case '$jsonSchema': {
      const failure = compileSchema(operand);
      return opaque((doc) => failure(doc) === undefined, undefined);
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

/** @param siblings the document of operators that this one stands in, for `$options` */
function compileOperator(path: string, parts: string[], op: string, operand: unknown, siblings: Doc): Filter {
  const condition = (kind: Condition['op'], test: Filter['test']): Filter => ({
    test,
    reads: [parts[0]!],
    conditions: [{ path, op: kind, operand }],
    ors: [],
  });
  const reached = (test: Test) => anyReached(path, parts, test);
  switch (op) {
    case '$eq':
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return condition(op, reached(comparisonTest(op, operand)));
    case '$in':
      return condition(op, reached(membershipTest(op, operand)));
    case '$exists': {
      const exists = reached((value) => value !== undefined);
      return condition(op, isTruthy(operand) ? exists : not(exists));
    }
    case '$type':
      return condition(op, reached(typeTest(operand)));
    case '$regex':
      return condition(op, reached(elementwise(regexTest(operand, siblings.$options))));
    case '$ne':
      return condition('other', not(reached(comparisonTest('$eq', operand))));
    case '$nin':
      return condition('other', not(reached(membershipTest(op, operand))));
    case '$not':
      return condition('other', not(negatable(path, operand).test));
    case '$size':
      return condition('other', reached(sizeTest(operand)));
    case '$elemMatch':
      return condition('other', reached(elemMatchTest(operand)));
    case '$all':
      return compileAll(path, parts, operand);
    case '$options':
      throw new Fault(2, '$options needs a $regex');
    default:
      throw new Fault(2, `unknown operator: ${op}`);
  }
}

function not(test: Filter['test']): Filter['test'] {
  return (doc) => !test(doc);
}

/** Whether some value that the path reaches passes the test. Paths of one component take a shortcut. */
function anyReached(path: string, parts: string[], test: Test): Filter['test'] {
  return parts.length === 1
    ? (doc) => test(Object.hasOwn(doc, path) ? doc[path] : undefined)
    : (doc) => reach(doc, parts).some(test);
}

function negatable(path: string, operand: unknown): Filter {
  if (operand instanceof BSONRegExp) return compileField(path, operand);
  if (!isDoc(operand)) throw new Fault(2, '$not needs a regex or a document');
  if (!isOperators(operand)) throw new Fault(2, '$not cannot be empty');
  return compileField(path, operand);
}

function compileAll(path: string, parts: string[], operand: unknown): Filter {
  if (!Array.isArray(operand)) throw new Fault(2, '$all needs an array');
  if (operand.length === 0) return opaque(() => false, []);
  return allOf(
    operand.map((value) => {
      if (isDoc(value) && '$elemMatch' in value) {
        return compileOperator(path, parts, '$elemMatch', value.$elemMatch, {});
      }
      return compileField(path, isOperators(value) ? { $eq: value } : value);
    }),
  );
}

function elemMatchTest(operand: unknown): Test {
  if (!isDoc(operand)) throw new Fault(2, '$elemMatch needs an Object');
  const element = elementTest(operand);
  return (value) => Array.isArray(value) && value.some(element);
}

/** A test for one element of an array: operators on the element itself, or a query on a document. */
export function elementTest(operand: Doc): Test {
  const isLogical = ['$and', '$or', '$nor'].some((name) => name in operand);
  if (isOperators(operand) && !isLogical) {
    const filter = compileField('v', operand);
    return (element) => filter.test({ v: Array.isArray(element) ? [element] : element });
  }
  const filter = compileFilter(operand);
  return (element) => isDoc(element) && filter.test(element);
}
