import type { Filter } from '../query/filter.ts';
import { clone, type Doc, isDoc, setField } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { typeName } from '../values/types.ts';
import { arrayModifiers } from './array-operators.ts';
import { fieldModifiers } from './field-operators.ts';
import { keepId, withId } from './identity.ts';
import { concretePath } from './positional.ts';
import type { Change, Modifier, Update } from './types.ts';
import { parseUpdatePath, refuseConflicts } from './update-path.ts';
import { upsertSeed } from './upsert.ts';

/** One operator on one path. */
interface Step {
  operator: string;
  path: string;
  parts: string[];
  change: Change;
}

const MODIFIERS: Record<string, Modifier> = { ...fieldModifiers, ...arrayModifiers };

/**
 * Compiles an update by operators. Source of the semantics: MongoDB manual, "Update Operators".
 * @throws Fault FailedToParse for an unknown operator, ConflictingUpdateOperators, what operators say of their operands
 */
export function compileModifiers(update: Doc): Update {
  const steps = Object.entries(update).flatMap(([operator, fields]) => compileSteps(operator, fields));
  // MongoDB applies the fields in lexicographic order, whatever order the update names them in.
  steps.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const targets = Object.values(isDoc(update.$rename) ? update.$rename : {}).map(String);
  refuseConflicts([...steps.map(({ path }) => path), ...targets]);
  const roots = new Set([...steps.map(({ parts }) => parts[0]!), ...targets.map((target) => target.split('.')[0]!)]);
  const apply = (before: Doc, filter: Filter, isInsert: boolean): Doc => {
    const doc = copyOf(before, roots);
    for (const { operator, parts, change } of steps) {
      if (operator === '$setOnInsert' && !isInsert) continue;
      change(doc, concretePath(parts, before, filter));
    }
    return doc;
  };
  return {
    isReplacement: false,
    apply: (doc, filter) => keepId(doc, apply(doc, filter, false)),
    upsert: (filter) => {
      const seed = upsertSeed(filter);
      return withId(keepId(seed, apply(seed, filter, true)));
    },
  };
}

function compileSteps(operator: string, fields: unknown): Step[] {
  const modifier = Object.hasOwn(MODIFIERS, operator) ? MODIFIERS[operator] : undefined;
  if (modifier === undefined) {
    throw new Fault(
      9,
      `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
    );
  }
  if (!isDoc(fields)) {
    throw new Fault(
      9,
      `Modifiers operate on fields but we found type ${typeName(fields)} instead. For example: {$mod: {<field>: ...}} not {${operator}: ${typeName(fields)}}`,
    );
  }
  return Object.entries(fields).map(([path, operand]) => ({
    operator,
    path,
    parts: parseUpdatePath(path),
    change: modifier(operand, path),
  }));
}

/** A copy that shares the top level fields which do not change: indexes over those need not be looked at. */
function copyOf(doc: Doc, roots: Set<string>): Doc {
  const copy: Doc = {};
  for (const [name, value] of Object.entries(doc)) setField(copy, name, roots.has(name) ? clone(value) : value);
  return copy;
}
