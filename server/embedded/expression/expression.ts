import type { Doc } from '../values/document.ts';

/** The variables that an expression can name: ROOT, CURRENT, NOW, and what `$map` and `$filter` bind. */
export type Variables = Readonly<Record<string, unknown>>;

/** A compiled aggregation expression. It returns `undefined` for a missing value. */
export type Expression = (variables: Variables) => unknown;

export type Compile = (expression: unknown) => Expression;

/** Compiles the use of an operator. It is handed `compile` for its arguments, because the compiler imports the operators. */
export type Operator = (name: string, operand: unknown, compile: Compile) => Expression;

/** The variables of an expression over the document. */
export function rootVariables(doc: Doc): Variables {
  return { ROOT: doc, CURRENT: doc, NOW: new Date() };
}
