import { Fault } from './errors.ts';
import type { Expression, Variables } from './expressions.ts';
import { compileExpression, rootVariables } from './expressions.ts';
import type { Doc } from './values.ts';
import { field, isDoc, isNumber, isTruthy, setField, toInteger } from './values.ts';

/** The tree of a projection: by field name what happens to it. */
interface Node {
  fields: Map<string, Node | Leaf>;
}
type Leaf =
  | { kind: 'include' | 'exclude' }
  | { kind: 'compute'; expression: Expression }
  | { kind: 'array'; pick: (array: unknown[]) => unknown[] };

/**
 * Compiles a projection, of `find` or of `$project`.
 * Source of the semantics: MongoDB manual, "Project Fields to Return from Query".
 * @throws Fault 31253/31254 if it both includes and excludes
 */
export function compileProjection(spec: Doc): (doc: Doc) => Doc {
  const root: Node = { fields: new Map() };
  let inclusive: boolean | undefined;
  const decide = (isInclusion: boolean, path: string) => {
    if (inclusive !== undefined && inclusive !== isInclusion) {
      throw isInclusion
        ? new Fault(31253, `Cannot do inclusion on field ${path} in exclusion projection`)
        : new Fault(31254, `Cannot do exclusion on field ${path} in inclusion projection`);
    }
    inclusive = isInclusion;
  };
  const visit = (entries: Doc, above: string[]) => {
    for (const [name, value] of Object.entries(entries)) {
      const parts = [...above, ...name.split('.')];
      const path = parts.join('.');
      if (parts.some((part) => part.startsWith('$'))) {
        throw new Fault(16410, `FieldPath field names may not start with '$': '${path}'`);
      } else if (isNumber(value) || typeof value === 'boolean') {
        const include = isTruthy(value);
        if (path !== '_id') decide(include, path);
        put(root, parts, { kind: include ? 'include' : 'exclude' });
      } else if (isDoc(value) && Object.keys(value).length === 1 && isFindSlice(value.$slice))
        put(root, parts, { kind: 'array', pick: sliceOf(value.$slice) });
      else if (isDoc(value) && Object.keys(value).length > 0 && !Object.keys(value)[0]!.startsWith('$'))
        visit(value, parts);
      else {
        decide(true, path);
        put(root, parts, { kind: 'compute', expression: compileExpression(value) });
      }
    }
  };
  visit(spec, []);
  const idAlone = root.fields.get('_id');
  const isInclusion = inclusive ?? (idAlone !== undefined && 'kind' in idAlone && idAlone.kind === 'include');
  if (isInclusion && !root.fields.has('_id')) root.fields = new Map([['_id', { kind: 'include' }], ...root.fields]);
  return (doc) => project(doc, root, isInclusion, rootVariables(doc)) as Doc;
}

function isFindSlice(operand: unknown): boolean {
  return isNumber(operand) || (Array.isArray(operand) && operand.length === 2 && operand.every(isNumber));
}

function put(root: Node, parts: string[], leaf: Leaf): void {
  let node = root;
  for (const [at, part] of parts.entries()) {
    const existing = node.fields.get(part);
    if (at === parts.length - 1) {
      if (existing !== undefined) throw new Fault(31250, `Path collision at ${parts.join('.')}`);
      node.fields.set(part, leaf);
    } else if (existing === undefined) {
      const next: Node = { fields: new Map() };
      node.fields.set(part, next);
      node = next;
    } else if ('kind' in existing)
      throw new Fault(31249, `Path collision at ${parts.join('.')} remaining portion ${parts.slice(at + 1).join('.')}`);
    else node = existing;
  }
}

function project(value: unknown, node: Node, inclusive: boolean, variables: Variables): unknown {
  if (Array.isArray(value)) {
    return value
      .filter((element) => !inclusive || isDoc(element) || Array.isArray(element))
      .map((element) => project(element, node, inclusive, variables));
  }
  if (!isDoc(value)) return inclusive ? undefined : value;
  const result: Doc = {};
  for (const [name, old] of Object.entries(value)) {
    const rule = node.fields.get(name);
    if (rule === undefined) {
      if (!inclusive) setField(result, name, old);
      continue;
    }
    const projected = 'fields' in rule ? project(old, rule, inclusive, variables) : keep(old, rule);
    if (projected !== undefined) setField(result, name, projected);
  }
  compute(result, node, variables);
  return result;
}

function keep(old: unknown, rule: Leaf): unknown {
  if (rule.kind === 'include') return old;
  if (rule.kind === 'array') return Array.isArray(old) ? rule.pick(old) : old;
  return undefined;
}

function compute(result: Doc, node: Node, variables: Variables): void {
  for (const [name, rule] of node.fields) {
    if ('fields' in rule) {
      if (field(result, name) !== undefined || !hasComputed(rule)) continue;
      const nested: Doc = {};
      compute(nested, rule, variables);
      setField(result, name, nested);
    } else if (rule.kind === 'compute') {
      const value = rule.expression(variables);
      if (value !== undefined) setField(result, name, value);
    }
  }
}

function hasComputed(node: Node): boolean {
  return [...node.fields.values()].some((rule) => ('fields' in rule ? hasComputed(rule) : rule.kind === 'compute'));
}

function sliceOf(operand: unknown): (array: unknown[]) => unknown[] {
  const [first, second] = Array.isArray(operand) ? operand : [operand];
  const n = toInteger(first, '$slice');
  if (second === undefined) return (array) => (n < 0 ? array.slice(n) : array.slice(0, n));
  const count = toInteger(second, '$slice');
  if (count <= 0) throw new Fault(28724, 'First argument to $slice must be positive');
  return (array) => {
    const start = n < 0 ? Math.max(0, array.length + n) : n;
    return array.slice(start, start + count);
  };
}
