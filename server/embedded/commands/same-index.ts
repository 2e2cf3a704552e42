import type { Index } from '../storage/collection.ts';
import { display } from '../values/display.ts';
import type { Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isTruthy, toNumber } from '../values/numbers.ts';

/** Whether two keys name the same fields in the same directions, whatever the types of their numbers. */
export function isSameKey(a: Doc, b: Doc): boolean {
  const text = (key: Doc) => Object.entries(key).map(([path, direction]) => `${path}:${toNumber(direction)}`);
  return text(a).join() === text(b).join();
}

/** Whether the specifications describe the same index. Other options, and the name, make no difference. */
function isSameIndex(a: Doc, b: Doc): boolean {
  const facts = ({ unique, sparse, partialFilterExpression }: Doc) =>
    [isTruthy(unique), isTruthy(sparse), display(partialFilterExpression)].join();
  return isSameKey(a.key as Doc, b.key as Doc) && facts(a) === facts(b);
}

/**
 * Whether the index exists already.
 * @throws Fault IndexKeySpecsConflict or IndexOptionsConflict if another index is in its way
 */
export function indexExists(indexes: Index[], spec: Doc): boolean {
  for (const { spec: other, primary } of indexes) {
    const hasName = other.name === spec.name;
    const conflict = `Requested index: ${display(spec)}, existing index: ${display(other)}`;
    if (!isSameIndex(other, spec)) {
      if (!hasName) continue;
      const reason =
        'An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation.';
      throw new Fault(86, `${reason} ${conflict}`);
    }
    if (display(other.expireAfterSeconds) !== display(spec.expireAfterSeconds)) {
      const reason = `An equivalent index already exists with ${hasName ? 'the same name but different' : 'a different name and'} options.`;
      throw new Fault(85, `${reason} ${conflict}`);
    }
    if (!hasName && !primary) throw new Fault(85, `Index already exists with a different name: ${String(other.name)}`);
    return true;
  }
  return false;
}
