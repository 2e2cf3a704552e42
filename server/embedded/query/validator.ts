import { type Doc, isDoc } from '../values/document.ts';
import { compileFilter } from './match.ts';
import { compileSchema } from './schema.ts';

/** A collection's validator. It returns undefined for a valid document, otherwise the `details` of MongoDB's error. */
export type Validator = (doc: Doc) => Doc | undefined;

/**
 * Compiles the `validator` of a collection: a `$jsonSchema`, query operators, or both.
 * @returns undefined if it asks for nothing
 */
export function compileValidator(validator: unknown): Validator | undefined {
  if (!isDoc(validator) || Object.keys(validator).length === 0) return undefined;
  const { $jsonSchema: schema, ...query } = validator;
  const filter = compileFilter(query);
  const schemaFailure = schema === undefined ? undefined : compileSchema(schema);
  return (doc) => {
    if (!filter.test(doc)) return { operatorName: '$expr', specifiedAs: query, reason: 'expression did not match' };
    return schemaFailure?.(doc);
  };
}
