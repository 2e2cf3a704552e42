import { type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { typeName } from '../values/types.ts';
import { type Check, schemaKeywords } from './schema-keywords.ts';

/** Keywords for people, without effect. */
const ANNOTATIONS = ['title', 'description'];

/**
 * Compiles a `$jsonSchema`: JSON Schema draft 4 with MongoDB's `bsonType`, as far as this database knows its keywords.
 * @returns a check of a document, which returns undefined if it is valid, otherwise MongoDB's account of the failure
 * @throws Fault FailedToParse for an unknown keyword, TypeMismatch for a wrong operand
 */
export function compileSchema(schema: unknown): (doc: Doc) => Doc | undefined {
  if (!isDoc(schema)) throw new Fault(14, `$jsonSchema must be an object, but found ${typeName(schema)}`);
  const checks = compileKeywords(schema);
  return (doc) => {
    const schemaRulesNotSatisfied = checks.map((check) => check(doc)).filter((failure) => failure !== undefined);
    if (schemaRulesNotSatisfied.length === 0) return undefined;
    return { operatorName: '$jsonSchema', schemaRulesNotSatisfied };
  };
}

function compileKeywords(schema: Doc): Check[] {
  return Object.entries(schema)
    .filter(([keyword]) => !ANNOTATIONS.includes(keyword))
    .map(([keyword, operand]) => {
      const compile = Object.hasOwn(schemaKeywords, keyword) ? schemaKeywords[keyword] : undefined;
      if (compile === undefined) throw new Fault(9, `Unknown $jsonSchema keyword: ${keyword}`);
      return compile(operand, keyword, compileInner);
    });
}

/** The check of a schema inside another. It reports the first failure. */
function compileInner(schema: Doc): Check {
  const checks = compileKeywords(schema);
  return (value) => {
    for (const check of checks) {
      const failure = check(value);
      if (failure !== undefined) return failure;
    }
    return undefined;
  };
}
