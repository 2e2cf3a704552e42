import { Fault } from './errors.ts';
import { compare } from './keys.ts';
import type { Doc } from './values.ts';
import { isDoc, isNumber, toNumber, typeAliases, typeName } from './values.ts';

/** A compiled validator: undefined if the document is valid, else what is not, in the shape of MongoDB's `errInfo`. */
export type SchemaTest = (doc: Doc) => Doc | undefined;
type Check = (value: unknown) => Doc | undefined;

const annotations = new Set(['title', 'description', 'bsonType']);

/**
 * Compiles a `$jsonSchema` (JSON Schema draft 4 as MongoDB takes it, with `bsonType`).
 * @throws Fault FailedToParse for a keyword that MongoDB does not know, TypeMismatch for a wrong operand
 */
export function compileSchema(schema: unknown): SchemaTest {
  if (!isDoc(schema)) throw new Fault(14, `$jsonSchema must be an object, but found ${typeName(schema)}`);
  return compile(schema, true);
}

function compile(schema: Doc, isRoot = false): Check {
  const checks = [typeCheck(schema)];
  for (const [keyword, operand] of Object.entries(schema)) {
    if (annotations.has(keyword)) continue;
    checks.push(keywordCheck(keyword, operand));
  }
  const present = checks.filter((check) => check !== undefined);
  return (value) => {
    const failures = present.map((check) => check(value)).filter((failure) => failure !== undefined);
    if (failures.length === 0) return undefined;
    return isRoot ? { operatorName: '$jsonSchema', schemaRulesNotSatisfied: failures } : failures[0];
  };
}

function typeCheck({ bsonType }: Doc): Check | undefined {
  if (bsonType === undefined) return undefined;
  const aliases = new Set((Array.isArray(bsonType) ? bsonType : [bsonType]).flatMap(typeAliases));
  return (value) =>
    aliases.has(typeName(value))
      ? undefined
      : {
          operatorName: 'bsonType',
          specifiedAs: { bsonType },
          reason: 'type did not match',
          consideredType: typeName(value),
        };
}

function keywordCheck(keyword: string, operand: unknown): Check | undefined {
  const fails = (reason: string, more: Doc = {}): Doc => ({
    operatorName: keyword,
    specifiedAs: { [keyword]: operand },
    reason,
    ...more,
  });
  const size = (
    applies: (value: unknown) => number | undefined,
    holds: (n: number, limit: number) => boolean,
  ): Check => {
    if (!isNumber(operand)) throw new Fault(14, `$jsonSchema keyword '${keyword}' must be a number`);
    const limit = toNumber(operand);
    return (value) => {
      const n = applies(value);
      return n === undefined || holds(n, limit) ? undefined : fails('comparison failed', { consideredValue: value });
    };
  };
  const numberOf = (value: unknown) => (isNumber(value) ? toNumber(value) : undefined);
  const textLength = (value: unknown) => (typeof value === 'string' ? [...value].length : undefined);
  const arrayLength = (value: unknown) => (Array.isArray(value) ? value.length : undefined);

  switch (keyword) {
    case 'required': {
      const names = listOf(keyword, operand).map(String);
      return (value) => {
        if (!isDoc(value)) return undefined;
        const missingProperties = names.filter((name) => !Object.hasOwn(value, name));
        return missingProperties.length === 0
          ? undefined
          : { operatorName: keyword, specifiedAs: { required: operand }, missingProperties };
      };
    }
    case 'properties': {
      const properties = Object.entries(docOf(keyword, operand)).map(([name, sub]) => ({
        name,
        check: compile(docOf(name, sub)),
      }));
      return (value) => {
        if (!isDoc(value)) return undefined;
        const propertiesNotSatisfied = properties.flatMap(({ name, check }) => {
          const failure = Object.hasOwn(value, name) ? check(value[name]) : undefined;
          return failure === undefined ? [] : [{ propertyName: name, details: [failure] }];
        });
        return propertiesNotSatisfied.length === 0 ? undefined : { operatorName: keyword, propertiesNotSatisfied };
      };
    }
    case 'items': {
      const item = isDoc(operand) ? compile(operand) : undefined;
      if (item === undefined) throw new Fault(238, "only one schema for all 'items' is supported here");
      return (value) => {
        if (!Array.isArray(value)) return undefined;
        const itemIndex = value.findIndex((element) => item(element) !== undefined);
        if (itemIndex < 0) return undefined;
        return {
          operatorName: keyword,
          reason: 'At least one item did not match the sub-schema',
          itemIndex,
          details: [item(value[itemIndex])],
        };
      };
    }
    case 'enum': {
      const values = listOf(keyword, operand);
      return (value) =>
        values.some((each) => compare(each, value) === 0)
          ? undefined
          : fails('value was not found in enum', { consideredValue: value });
    }
    case 'minimum':
      return size(numberOf, (n, limit) => n >= limit);
    case 'maximum':
      return size(numberOf, (n, limit) => n <= limit);
    case 'minLength':
      return size(textLength, (n, limit) => n >= limit);
    case 'maxLength':
      return size(textLength, (n, limit) => n <= limit);
    case 'minItems':
      return size(arrayLength, (n, limit) => n >= limit);
    case 'maxItems':
      return size(arrayLength, (n, limit) => n <= limit);
    default:
      throw new Fault(9, `Unknown $jsonSchema keyword: ${keyword}`);
  }
}

function listOf(keyword: string, operand: unknown): unknown[] {
  if (!Array.isArray(operand) || operand.length === 0) {
    throw new Fault(9, `$jsonSchema keyword '${keyword}' must be a non-empty array`);
  }
  return operand;
}

function docOf(keyword: string, operand: unknown): Doc {
  if (!isDoc(operand)) throw new Fault(14, `$jsonSchema keyword '${keyword}' must be an object`);
  return operand;
}
