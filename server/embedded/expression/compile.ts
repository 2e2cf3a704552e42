import { type Doc, field, isDoc, setField } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import type { Expression } from './expression.ts';
import { expressionOperators } from './operators.ts';

/**
 * Compiles an aggregation expression. Source of the semantics: MongoDB manual, "Aggregation Operators".
 * @throws Fault InvalidPipelineOperator for an unknown operator, 15983 for an operator among other fields
 */
export function compileExpression(expression: unknown): Expression {
  if (typeof expression === 'string' && expression.startsWith('$')) return compilePath(expression);
  if (Array.isArray(expression)) {
    const elements = expression.map(compileExpression);
    return (variables) => elements.map((element) => element(variables) ?? null);
  }
  if (!isDoc(expression)) return () => expression;
  const operator = Object.keys(expression).find((name) => name.startsWith('$'));
  return operator === undefined ? compileDocument(expression) : compileOperator(operator, expression);
}

function compileOperator(name: string, expression: Doc): Expression {
  const names = Object.keys(expression);
  if (names.length > 1) {
    throw new Fault(15983, `an object representing an expression must have exactly one field: ${names.join(', ')}`);
  }
  const operator = Object.hasOwn(expressionOperators, name) ? expressionOperators[name] : undefined;
  if (operator === undefined) throw new Fault(168, `Unrecognized expression '${name}'`);
  return operator(name, expression[name], compileExpression);
}

function compileDocument(expression: Doc): Expression {
  const fields = Object.entries(expression).map(([name, value]) => ({ name, value: compileExpression(value) }));
  return (variables) => {
    const doc: Doc = {};
    for (const { name, value } of fields) {
      const result = value(variables);
      if (result !== undefined) setField(doc, name, result);
    }
    return doc;
  };
}

/** `$field.path` of the document, or `$$variable.path`. */
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

/** The value at a path. Where the path leads through an array, it is the array of the elements' values. */
function resolve(value: unknown, parts: string[], at: number): unknown {
  if (at === parts.length) return value;
  if (Array.isArray(value)) return value.map((element) => resolve(element, parts, at)).filter((e) => e !== undefined);
  return isDoc(value) ? resolve(field(value, parts[at]!), parts, at + 1) : undefined;
}
