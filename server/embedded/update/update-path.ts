import { Fault } from '../values/fault.ts';

/**
 * The components of the path of an update.
 * @throws Fault EmptyFieldName, or DollarPrefixedFieldName for anything but `$` behind the first component
 */
export function parseUpdatePath(path: string): string[] {
  const parts = path.split('.');
  if (path === '') throw new Fault(56, 'An empty update path is not valid.');
  if (parts.includes('')) {
    throw new Fault(56, `The update path '${path}' contains an empty field name, which is not allowed.`);
  }
  if (parts[0]!.startsWith('$')) {
    throw new Fault(2, `Cannot have positional (i.e. '$') element in the first position in path '${path}'`);
  }
  const strange = parts.find((part) => part.startsWith('$') && part !== '$');
  if (strange !== undefined) {
    throw new Fault(52, `The dollar ($) prefixed field '${strange}' in '${path}' is not valid for storage.`);
  }
  return parts;
}

/** Throws ConflictingUpdateOperators if two of the paths are the same, or one leads through another. */
export function refuseConflicts(paths: string[]): void {
  const sorted = [...paths].sort();
  for (const [at, path] of sorted.entries()) {
    const other = sorted.slice(at + 1).find((next) => next === path || next.startsWith(`${path}.`));
    if (other !== undefined) throw new Fault(40, `Updating the path '${other}' would create a conflict at '${path}'`);
  }
}
