import { type Doc, isDoc } from '../values/document.ts';

/**
 * The fields of a specification by path. Nested documents are longer paths, except documents with an operator, which are
 * expressions.
 */
export function nestedPaths(spec: Doc, above: string[] = []): { parts: string[]; value: unknown }[] {
  return Object.entries(spec).flatMap(([name, value]) => {
    const parts = [...above, ...name.split('.')];
    const isNested = isDoc(value) && Object.keys(value).length > 0 && !Object.keys(value)[0]!.startsWith('$');
    return isNested ? nestedPaths(value, parts) : [{ parts, value }];
  });
}
