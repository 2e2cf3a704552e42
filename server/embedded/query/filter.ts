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
  /** The top level fields that the test looks at. Undefined: it may look at all. */
  reads: string[] | undefined;
  /** Conditions that must all hold. Together with `ors` they are the whole query. */
  conditions: Condition[];
  /** `$or`s that must all hold as well, each a list of alternatives. */
  ors: Filter[][];
}

/** The filter that every document passes. */
export const EVERYTHING: Filter = { test: () => true, reads: [], conditions: [], ors: [] };

/** The conjunction of the filters. */
export function allOf(parts: Filter[]): Filter {
  if (parts.length === 0) return EVERYTHING;
  if (parts.length === 1) return parts[0]!;
  const tests = parts.map((part) => part.test);
  return {
    test: (doc) => tests.every((test) => test(doc)),
    reads: readsOf(parts),
    conditions: parts.flatMap((part) => part.conditions),
    ors: parts.flatMap((part) => part.ors),
  };
}

/** The top level fields that the tests of all these filters look at. */
export function readsOf(parts: Filter[]): string[] | undefined {
  const reads = new Set<string>();
  for (const part of parts) {
    if (part.reads === undefined) return undefined;
    for (const name of part.reads) reads.add(name);
  }
  return [...reads];
}

/** A filter that only a test can answer. The planner sees that it exists, and no more. */
export function opaque(test: Filter['test'], reads: string[] | undefined): Filter {
  return { test, reads, conditions: [{ path: '', op: 'other', operand: undefined }], ors: [] };
}
