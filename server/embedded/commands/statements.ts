import { type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { int, isTruthy } from '../values/numbers.ts';

/** The most statements in one write command. `hello` announces it. */
export const MAX_STATEMENTS = 100_000;

/** Throws InvalidLength for a number of statements that no write may have. */
export function checkBatchSize(count: number): void {
  if (count === 0 || count > MAX_STATEMENTS) {
    throw new Fault(16, `Write batch sizes must be between 1 and ${MAX_STATEMENTS}. Got ${count} operations.`);
  }
}

/** The statements of a write: a required array of documents. */
export function statementsOf(body: Doc, field: string): Doc[] {
  const value = body[field];
  if (!Array.isArray(value) || !value.every(isDoc)) {
    throw new Fault(14, `BSON field '${field}' must be an array of objects`);
  }
  checkBatchSize(value.length);
  return value;
}

/**
 * Runs each statement of a write.
 * @returns `{ writeErrors }` with the place of each failure, or nothing. If the command is ordered, the first ends it.
 */
export function eachStatement<T>(body: Doc, statements: T[], run: (statement: T, at: number) => void): Doc {
  const isOrdered = body.ordered === undefined || isTruthy(body.ordered);
  const writeErrors: Doc[] = [];
  for (const [at, statement] of statements.entries()) {
    try {
      run(statement, at);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      writeErrors.push({ index: int(at), code: int(error.code), errmsg: error.message, ...error.extra });
      if (isOrdered) break;
    }
  }
  return writeErrors.length === 0 ? {} : { writeErrors };
}

/** Refuses fields that a statement does not know. */
export function checkStatement(name: string, statement: Doc, known: string[]): void {
  const unknown = Object.keys(statement).find((field) => !known.includes(field));
  if (unknown !== undefined) throw new Fault(40415, `BSON field '${name}.${unknown}' is an unknown field.`);
}
