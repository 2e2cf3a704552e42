import { compileExpression } from '../expression/compile.ts';
import type { Expression } from '../expression/expression.ts';
import type { Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isNumber, isTruthy } from '../values/numbers.ts';
import { nestedPaths } from './nested-paths.ts';

/** What a projection does with one field. */
export type Rule = { kind: 'include' | 'exclude' } | { kind: 'compute'; expression: Expression };

/** The rules of a projection, by field name and nesting. */
export interface RuleTree {
  fields: Map<string, RuleTree | Rule>;
}

/**
 * Reads a projection.
 * @returns its rules, and whether fields without a rule are left out
 * @throws Fault 31253 or 31254 if it both includes and excludes, 31249 or 31250 if a path meets another
 */
export function readProjection(spec: Doc): { root: RuleTree; isInclusion: boolean } {
  const root: RuleTree = { fields: new Map() };
  let decided: boolean | undefined;
  for (const { parts, value } of nestedPaths(spec)) {
    const path = parts.join('.');
    if (parts.some((part) => part.startsWith('$'))) {
      throw new Fault(16410, `FieldPath field names may not start with '$': '${path}'`);
    }
    const rule = ruleOf(value);
    const asks = inclusionOf(rule, path);
    if (asks !== undefined && decided !== undefined && asks !== decided) throw mixed(asks, path);
    decided ??= asks;
    putRule(root, parts, rule);
  }
  const id = root.fields.get('_id');
  const isInclusion = decided ?? (id !== undefined && 'kind' in id && id.kind === 'include');
  if (isInclusion && id === undefined) root.fields = new Map([['_id', { kind: 'include' }], ...root.fields]);
  return { root, isInclusion };
}

function ruleOf(value: unknown): Rule {
  if (isNumber(value) || typeof value === 'boolean') return { kind: isTruthy(value) ? 'include' : 'exclude' };
  return { kind: 'compute', expression: compileExpression(value) };
}

/** Whether the rule makes the projection an inclusion. Undefined for the `_id`, which fits both. */
function inclusionOf({ kind }: Rule, path: string): boolean | undefined {
  if (path === '_id' && kind !== 'compute') return undefined;
  return kind !== 'exclude';
}

function mixed(asksInclusion: boolean, path: string): Fault {
  return asksInclusion
    ? new Fault(31253, `Cannot do inclusion on field ${path} in exclusion projection`)
    : new Fault(31254, `Cannot do exclusion on field ${path} in inclusion projection`);
}

function putRule(root: RuleTree, parts: string[], rule: Rule): void {
  let node = root;
  for (const [at, part] of parts.entries()) {
    const existing = node.fields.get(part);
    if (at === parts.length - 1) {
      if (existing !== undefined) throw new Fault(31250, `Path collision at ${parts.join('.')}`);
      node.fields.set(part, rule);
    } else if (existing === undefined) {
      const next: RuleTree = { fields: new Map() };
      node.fields.set(part, next);
      node = next;
    } else if ('kind' in existing) {
      throw new Fault(31249, `Path collision at ${parts.join('.')} remaining portion ${parts.slice(at + 1).join('.')}`);
    } else node = existing;
  }
}
