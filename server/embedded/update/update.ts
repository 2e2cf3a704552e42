import { compileTransform, readStage } from '../query/transforms.ts';
import { compare } from '../values/compare.ts';
import { clone, type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { keepId, withId } from './identity.ts';
import { compileModifiers } from './modifiers.ts';
import type { Update } from './types.ts';
import { upsertId, upsertSeed } from './upsert.ts';

/**
 * Compiles the update of a command: operators, a replacement or a pipeline.
 * @throws Fault FailedToParse if it is none of these, and what the compilers of each throw
 */
export function compileUpdate(update: unknown): Update {
  if (Array.isArray(update)) return compilePipeline(update);
  if (!isDoc(update)) throw new Fault(9, 'Update argument must be either an object or an array');
  return Object.keys(update)[0]?.startsWith('$') ? compileModifiers(update) : compileReplacement(update);
}

function compileReplacement(replacement: Doc): Update {
  const dollar = Object.keys(replacement).find((name) => name.startsWith('$'));
  if (dollar !== undefined) {
    throw new Fault(
      52,
      `The dollar ($) prefixed field '${dollar}' in '${dollar}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
    );
  }
  const replace = (id: unknown): Doc => {
    const { _id: own, ...rest } = replacement;
    if (Object.hasOwn(replacement, '_id') && id !== undefined && compare(own, id) !== 0) {
      throw new Fault(66, "After applying the update, the (immutable) field '_id' was found to have been altered");
    }
    return id === undefined && own === undefined ? rest : { _id: id ?? own, ...rest };
  };
  return {
    isReplacement: true,
    apply: (doc) => clone(replace(doc._id)),
    upsert: (filter) => withId(clone(replace(upsertId(filter)))),
  };
}

/** Source of the semantics: MongoDB manual, "Updates with Aggregation Pipeline". */
function compilePipeline(stages: unknown[]): Update {
  const transforms = stages.map((stage) => {
    const { name, operand } = readStage(stage);
    const transform = compileTransform(name, operand);
    if (transform === undefined) throw new Fault(72, `${name} is not allowed to be used within an update`);
    return transform;
  });
  const apply = (doc: Doc) =>
    keepId(
      doc,
      transforms.reduce((current, { apply }) => apply(current), doc),
    );
  return { isReplacement: false, apply, upsert: (filter) => withId(apply(upsertSeed(filter))) };
}
