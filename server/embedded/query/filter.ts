import type { Doc } from '../values/document.ts';

export type Test = (value: unknown) => boolean;

/** A condition on one path. `other` stands for all operators that the planner cannot use. */
export interface Condition {
  path: string;
  op: '$eq' | '$in' | '$gt' | '$gte' | '$lt' | '$lte' | '$exists' | '$type' | '$regex' | 'other';
  operand: unknown;
}

/** A compiled query: a test for documents, and its parts for the planner. */
export interface Filter {
  test(doc: Doc): boolean;
  /** Conditions that must all hold. Together with `ors` they are the whole query. */
  conditions: Condition[];
  /** `$or`s that must all hold as well, each a list of alternatives. */
  ors: Filter[][];
}

/** The filter that every document passes. */
export const EVERYTHING: Filter = { test: () => true, conditions: [], ors: [] };

/** The conjunction of the filters. */
export function allOf(parts: Filter[]): Filter {
  if (parts.length === 0) return EVERYTHING;
  if (parts.length === 1) return parts[0]!;
  const tests = parts.map((part) => part.test);
  return {
    test: (doc) => tests.every((test) => test(doc)),
    conditions: parts.flatMap((part) => part.conditions),
    ors: parts.flatMap((part) => part.ors),
  };
}

/** A filter that only a test can answer. The planner sees that it exists, and no more. */
export function opaque(test: Filter['test']): Filter {
  return { test, conditions: [{ path: '', op: 'other', operand: undefined }], ors: [] };
}
