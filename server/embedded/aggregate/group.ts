import { compileExpression } from '../expression/compile.ts';
import { rootVariables } from '../expression/expression.ts';
import { computed, docOf } from '../plan/found.ts';
import { isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { encodeValue } from '../values/key-encoding.ts';
import { compileAccumulators } from './accumulators.ts';
import type { Stage } from './stage.ts';

/** The `$group` stage. */
export function group(operand: unknown): Stage {
  if (!isDoc(operand)) throw new Fault(15947, "a group's fields must be specified in an object");
  if (!('_id' in operand)) throw new Fault(15955, 'a group specification must include an _id');
  const { _id: idSpec, ...fields } = operand;
  const idOf = compileExpression(idSpec);
  const accumulators = compileAccumulators(fields);
  return function* (input) {
    const groups = new Map<string, { id: unknown; states: unknown[] }>();
    for (const item of input) {
      const variables = rootVariables(docOf(item));
      const id = idOf(variables) ?? null;
      const key = encodeValue(id).toString('latin1');
      let entry = groups.get(key);
      if (entry === undefined) {
        entry = { id, states: accumulators.start() };
        groups.set(key, entry);
      }
      accumulators.add(entry.states, variables);
    }
    for (const { id, states } of groups.values()) yield computed({ _id: id, ...accumulators.finish(states) });
  };
}
