import { rootVariables, type Variables } from '../expression/expression.ts';
import { type Doc, field, isDoc, setField } from '../values/document.ts';
import { type Selection, selectionOf } from '../values/raw.ts';
import { type RuleTree, readProjection } from './projection-rules.ts';

/** Makes a document of a document. */
export interface Transform {
  /** The result may share parts with what it was made of. */
  apply(doc: Doc): Doc;
  /** The choice of top level fields that the transform is, if it is nothing more. */
  selection?: Selection | undefined;
}

/**
 * Compiles a projection. Source of the semantics: MongoDB manual, "Project Fields to Return from Query".
 * @throws what `readProjection` throws
 */
export function compileProjection(spec: Doc): Transform {
  const { root, isInclusion } = readProjection(spec);
  return {
    apply: (doc) => project(doc, root, isInclusion, rootVariables(doc)) as Doc,
    selection: plainSelection(root, isInclusion),
  };
}

function plainSelection({ fields }: RuleTree, isInclusion: boolean): Selection | undefined {
  const rules = [...fields];
  if (rules.some(([, rule]) => 'fields' in rule || rule.kind === 'compute')) return undefined;
  const wanted = isInclusion ? 'include' : 'exclude';
  const names = rules.flatMap(([name, rule]) => ('kind' in rule && rule.kind === wanted ? [name] : []));
  return selectionOf(names, isInclusion);
}

function project(value: unknown, node: RuleTree, isInclusion: boolean, variables: Variables): unknown {
  if (Array.isArray(value)) {
    return value
      .filter((element) => !isInclusion || isDoc(element) || Array.isArray(element))
      .map((element) => project(element, node, isInclusion, variables));
  }
  if (!isDoc(value)) return isInclusion ? undefined : value;
  const result: Doc = {};
  for (const [name, old] of Object.entries(value)) {
    const rule = node.fields.get(name);
    if (rule === undefined) {
      if (!isInclusion) setField(result, name, old);
      continue;
    }
    const projected =
      'fields' in rule ? project(old, rule, isInclusion, variables) : rule.kind === 'include' ? old : undefined;
    if (projected !== undefined) setField(result, name, projected);
  }
  compute(result, node, variables);
  return result;
}

function compute(result: Doc, node: RuleTree, variables: Variables): void {
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

function hasComputed(node: RuleTree): boolean {
  return [...node.fields.values()].some((rule) => ('fields' in rule ? hasComputed(rule) : rule.kind === 'compute'));
}
