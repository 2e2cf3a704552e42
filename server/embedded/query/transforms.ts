import { compileExpression } from '../expression/compile.ts';
import { rootVariables } from '../expression/expression.ts';
import { clone, type Doc, field, isDoc, setField } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { typeName } from '../values/types.ts';
import { nestedPaths } from './nested-paths.ts';
import { compileProjection, type Transform } from './projection.ts';

/**
 * Compiles a pipeline stage that makes one document of each.
 * @returns undefined if the stage is not one of those
 */
export function compileTransform(name: string, operand: unknown): Transform | undefined {
  switch (name) {
    case '$set':
    case '$addFields':
      return addFields(name, operand);
    case '$unset':
      return compileProjection(exclusion(operand));
    case '$project':
      if (!isDoc(operand) || Object.keys(operand).length === 0) {
        throw new Fault(
          51272,
          'Invalid $project :: caused by :: projection specification must have at least one field',
        );
      }
      return compileProjection(operand);
    default:
      return undefined;
  }
}

/**
 * The name and operand of a pipeline stage.
 * @throws Fault 40323 if it is not a document with exactly one field
 */
export function readStage(stage: unknown): { name: string; operand: unknown } {
  const [name, ...more] = isDoc(stage) ? Object.keys(stage) : [];
  if (name === undefined || more.length > 0) {
    throw new Fault(40323, 'A pipeline stage specification object must contain exactly one field.');
  }
  return { name, operand: (stage as Doc)[name] };
}

function exclusion(operand: unknown): Doc {
  const paths = Array.isArray(operand) ? operand : [operand];
  if (paths.length === 0 || !paths.every((path) => typeof path === 'string')) {
    throw new Fault(31002, '$unset specification must be a string or an array of strings');
  }
  return Object.fromEntries(paths.map((path) => [path, false]));
}

function addFields(name: string, operand: unknown): Transform {
  if (!isDoc(operand)) {
    throw new Fault(40272, `${name} specification stage must be an object, got ${typeName(operand)}`);
  }
  const fields = nestedPaths(operand).map(({ parts, value }) => ({ parts, expression: compileExpression(value) }));
  return {
    apply(doc) {
      const variables = rootVariables(doc);
      const values = fields.map(({ expression }) => expression(variables));
      let result: Doc = { ...doc };
      for (const [at, { parts }] of fields.entries()) result = assign(result, parts, clone(values[at])) as Doc;
      return result;
    },
  };
}

/** A copy with the value at the path, in every element of the arrays on the way. Scalars on the way are replaced. */
function assign(target: unknown, path: string[], value: unknown): unknown {
  if (path.length === 0) return value;
  if (Array.isArray(target)) return target.map((element) => assign(element, path, value));
  const copy: Doc = isDoc(target) ? { ...target } : {};
  const [name, ...rest] = path as [string, ...string[]];
  const result = assign(field(copy, name), rest, value);
  if (result === undefined) delete copy[name];
  else setField(copy, name, result);
  return copy;
}
