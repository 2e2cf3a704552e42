import { Fault } from './errors.ts';
import { compileExpression, rootVariables } from './expressions.ts';
import { compileProjection } from './projection.ts';
import type { Doc } from './values.ts';
import { clone, field, isDoc, setField, typeName } from './values.ts';

/** A document made from a document. It may change the one it is given. */
export type Transform = (doc: Doc) => Doc;

/** Compiles a stage that makes one document of each; undefined if the stage is not one of these. */
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

/** Compiles the pipeline of an update: only stages that make one document of one. */
export function compileTransforms(stages: unknown[]): Transform {
  const transforms = stages.map((stage) => {
    const [name, ...more] = isDoc(stage) ? Object.keys(stage) : [];
    if (name === undefined || more.length > 0) {
      throw new Fault(40323, 'A pipeline stage specification object must contain exactly one field.');
    }
    const transform = compileTransform(name, (stage as Doc)[name]);
    if (transform === undefined) throw new Fault(72, `${name} is not allowed to be used within an update`);
    return transform;
  });
  return (doc) => transforms.reduce((current, transform) => transform(current), doc);
}

function exclusion(operand: unknown): Doc {
  const paths = Array.isArray(operand) ? operand : [operand];
  if (paths.length === 0 || !paths.every((path) => typeof path === 'string')) {
    throw new Fault(31002, '$unset specification must be a string or an array of strings');
  }
  return Object.fromEntries(paths.map((path) => [path, false]));
}

function addFields(name: string, operand: unknown): Transform {
  if (!isDoc(operand))
    throw new Fault(40272, `${name} specification stage must be an object, got ${typeName(operand)}`);
  const fields = flatten(operand, []).map(({ path, value }) => ({ path, expression: compileExpression(value) }));
  return (doc) => {
    const scope = rootVariables(doc);
    const values = fields.map(({ expression }) => expression(scope));
    let result: Doc = { ...doc };
    for (const [at, { path }] of fields.entries()) result = assign(result, path, clone(values[at])) as Doc;
    return result;
  };
}

/** Nested documents of a specification are paths; a document with an operator is an expression. */
function flatten(spec: Doc, above: string[]): { path: string[]; value: unknown }[] {
  return Object.entries(spec).flatMap(([name, value]) => {
    const path = [...above, ...name.split('.')];
    const isNested = isDoc(value) && Object.keys(value).length > 0 && !Object.keys(value)[0]!.startsWith('$');
    return isNested ? flatten(value, path) : [{ path, value }];
  });
}

/** A copy with the value at the path, in every element of the arrays on the way; scalars on the way give way. */
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
