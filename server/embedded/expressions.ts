import { Fault } from './errors.ts';
import { operators } from './expression-operators.ts';
import type { Doc } from './values.ts';
import { clone, field, isDoc, setField } from './values.ts';

/** The variables an expression sees: ROOT, CURRENT and those bound by `$let`, `$map` and the like. */
export type Variables = Readonly<Record<string, unknown>>;
/** A compiled aggregation expression; `undefined` is a missing value. */
export type Expression = (variables: Variables) => unknown;

/** The variables of an expression over a document. */
export function rootVariables(doc: Doc): Variables {
  return { ROOT: doc, CURRENT: doc, NOW: new Date() };
}

/**
 * Compiles an aggregation expression. Source of the semantics: MongoDB manual, "Expression Operators".
 * @throws Fault InvalidPipelineOperator for an unknown operator
 */
export function compileExpression(expression: unknown): Expression {
  if (typeof expression === 'string' && expression.startsWith('$')) return compilePath(expression);
  if (Array.isArray(expression)) {
    const elements = expression.map(compileExpression);
    return (variables) => elements.map((element) => element(variables) ?? null);
  }
  if (!isDoc(expression)) return () => expression;
  const names = Object.keys(expression);
  const operator = names.find((name) => name.startsWith('$'));
  if (operator !== undefined) {
    if (names.length > 1) {
      throw new Fault(15983, `an object representing an expression must have exactly one field: ${names.join(', ')}`);
    }
    return compileOperator(operator, expression[operator]);
  }
  const fields = names.map((name) => ({ name, value: compileExpression(expression[name]) }));
  return (variables) => {
    const doc: Doc = {};
    for (const { name, value } of fields) {
      const result = value(variables);
      if (result !== undefined) setField(doc, name, result);
    }
    return doc;
  };
}

function compileOperator(name: string, operand: unknown): Expression {
  switch (name) {
    case '$literal':
      return () => clone(operand);
    case '$map':
    case '$filter':
      return compileOverArray(name, operand);
  }
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (operator === undefined) throw new Fault(168, `Unrecognized expression '${name}'`);
  return operator(operand, compileExpression);
}

function compileOverArray(name: '$map' | '$filter', operand: unknown): Expression {
  const spec = fieldsOf(name, operand, ['input', name === '$map' ? 'in' : 'cond']);
  const input = compileExpression(spec.input);
  const as = typeof spec.as === 'string' ? spec.as : 'this';
  const body = compileExpression(name === '$map' ? spec.in : spec.cond);
  return (variables) => {
    const array = input(variables);
    if (array === undefined || array === null) return null;
    if (!Array.isArray(array)) throw new Fault(name === '$map' ? 16883 : 28651, `input to ${name} must be an array`);
    const each = (element: unknown) => body({ ...variables, [as]: element });
    return name === '$map' ? array.map((element) => each(element) ?? null) : array.filter((e) => isTrue(each(e)));
  };
}

function isTrue(value: unknown): boolean {
  return operators.$and!([{ $literal: value ?? null }], compileExpression)({}) === true;
}

function fieldsOf(name: string, operand: unknown, wanted: string[]): Doc {
  if (!isDoc(operand)) throw new Fault(9, `${name} only supports an object as its argument`);
  for (const each of wanted) if (!(each in operand)) throw new Fault(9, `Missing '${each}' parameter to ${name}`);
  return operand;
}

function compilePath(path: string): Expression {
  if (!path.startsWith('$$')) {
    const parts = path.slice(1).split('.');
    if (parts.some((part) => part === '' || part.startsWith('$'))) {
      throw new Fault(16410, `FieldPath field names may not start with '$' or be empty: '${path}'`);
    }
    return (variables) => resolve(variables.CURRENT, parts, 0);
  }
  const [name, ...parts] = path.slice(2).split('.');
  if (name === 'REMOVE') return () => undefined;
  return (variables) => {
    if (!Object.hasOwn(variables, name!)) throw new Fault(17276, `Use of undefined variable: ${name}`);
    return resolve(variables[name!], parts, 0);
  };
}

/** A field path in an expression: through an array it gives the array of what its elements have. */
function resolve(value: unknown, parts: string[], at: number): unknown {
  if (at === parts.length) return value;
  if (Array.isArray(value)) return value.map((element) => resolve(element, parts, at)).filter((e) => e !== undefined);
  return isDoc(value) ? resolve(field(value, parts[at]!), parts, at + 1) : undefined;
}
