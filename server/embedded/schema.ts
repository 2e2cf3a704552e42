import { Fault } from './errors.ts';
import { compare } from './keys.ts';
import { compileRegex } from './match.ts';
import type { Doc } from './values.ts';
import { isDoc, isNumber, isTruthy, toNumber, typeAliases, typeName } from './values.ts';

/** A compiled validator: undefined if the document is valid, else what is not, in the shape of MongoDB's `errInfo`. */
export type SchemaTest = (doc: Doc) => Doc | undefined;
type Check = (value: unknown) => Doc | undefined;

const annotations = new Set(['title', 'description', 'bsonType', 'type', 'exclusiveMinimum', 'exclusiveMaximum']);

const jsonTypes: Record<string, string[]> = {
  object: ['object'],
  array: ['array'],
  string: ['string'],
  number: ['int', 'long', 'double', 'decimal'],
  boolean: ['bool'],
  null: ['null'],
};

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
    checks.push(keywordCheck(keyword, operand, schema));
  }
  const present = checks.filter((check) => check !== undefined);
  return (value) => {
    const failures = present.map((check) => check(value)).filter((failure) => failure !== undefined);
    if (failures.length === 0) return undefined;
    return isRoot ? { operatorName: '$jsonSchema', schemaRulesNotSatisfied: failures } : failures[0];
  };
}

function typeCheck({ bsonType, type }: Doc): Check | undefined {
  if (bsonType === undefined && type === undefined) return undefined;
  const operand = bsonType ?? type;
  const entries = Array.isArray(operand) ? operand : [operand];
  const aliases = new Set(
    bsonType === undefined
      ? entries.flatMap((entry) => {
          const names = jsonTypes[String(entry)];
          if (names === undefined) throw new Fault(9, `Unknown type name alias: ${String(entry)}`);
          return names;
        })
      : entries.flatMap(typeAliases),
  );
  const operatorName = bsonType === undefined ? 'type' : 'bsonType';
  return (value) =>
    aliases.has(typeName(value))
      ? undefined
      : {
          operatorName,
          specifiedAs: { [operatorName]: operand },
          reason: 'type did not match',
          consideredType: typeName(value),
        };
}

function keywordCheck(keyword: string, operand: unknown, schema: Doc): Check | undefined {
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
  const fieldCount = (value: unknown) => (isDoc(value) ? Object.keys(value).length : undefined);

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
    case 'additionalProperties':
      return additionalProperties(operand, schema);
    case 'patternProperties':
      return patternProperties(operand);
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
    case 'pattern': {
      const regex = compileRegex(String(operand), '');
      return (value) =>
        typeof value !== 'string' || regex.test(value)
          ? undefined
          : fails('regular expression did not match', { consideredValue: value });
    }
    case 'minimum':
      return size(numberOf, isTruthy(schema.exclusiveMinimum) ? (n, limit) => n > limit : (n, limit) => n >= limit);
    case 'maximum':
      return size(numberOf, isTruthy(schema.exclusiveMaximum) ? (n, limit) => n < limit : (n, limit) => n <= limit);
    case 'minLength':
      return size(textLength, (n, limit) => n >= limit);
    case 'maxLength':
      return size(textLength, (n, limit) => n <= limit);
    case 'minItems':
      return size(arrayLength, (n, limit) => n >= limit);
    case 'maxItems':
      return size(arrayLength, (n, limit) => n <= limit);
    case 'minProperties':
      return size(fieldCount, (n, limit) => n >= limit);
    case 'maxProperties':
      return size(fieldCount, (n, limit) => n <= limit);
    case 'multipleOf':
      return size(numberOf, (n, limit) => Number.isInteger(n / limit));
    case 'uniqueItems':
      return (value) => {
        if (!Array.isArray(value) || !isTruthy(operand)) return undefined;
        const sorted = value.toSorted(compare);
        const isRepeated = sorted.some((element, at) => at > 0 && compare(element, sorted[at - 1]) === 0);
        return isRepeated ? fails('found a duplicate item') : undefined;
      };
    case 'anyOf':
    case 'allOf':
    case 'oneOf': {
      const alternatives = listOf(keyword, operand).map((each) => compile(docOf(keyword, each)));
      return (value) => {
        const valid = alternatives.filter((check) => check(value) === undefined).length;
        const holds =
          keyword === 'anyOf' ? valid > 0 : keyword === 'oneOf' ? valid === 1 : valid === alternatives.length;
        return holds ? undefined : { operatorName: keyword, schemasNotSatisfied: alternatives.length - valid };
      };
    }
    case 'not': {
      const check = compile(docOf(keyword, operand));
      return (value) =>
        check(value) === undefined ? { operatorName: keyword, reason: 'child expression matched' } : undefined;
    }
    default:
      throw new Fault(9, `Unknown $jsonSchema keyword: ${keyword}`);
  }
}

function additionalProperties(operand: unknown, schema: Doc): Check | undefined {
  if (operand === true) return undefined;
  const check = isDoc(operand) ? compile(operand) : undefined;
  if (check === undefined && operand !== false) {
    throw new Fault(14, "$jsonSchema keyword 'additionalProperties' must be an object or a boolean");
  }
  const known = new Set(Object.keys(isDoc(schema.properties) ? schema.properties : {}));
  const patterns = Object.keys(isDoc(schema.patternProperties) ? schema.patternProperties : {}).map((p) =>
    compileRegex(p, ''),
  );
  return (value) => {
    if (!isDoc(value)) return undefined;
    const additional = Object.entries(value)
      .filter(([name]) => !known.has(name) && !patterns.some((pattern) => pattern.test(name)))
      .filter(([, field]) => check === undefined || check(field) !== undefined)
      .map(([name]) => name);
    if (additional.length === 0) return undefined;
    return {
      operatorName: 'additionalProperties',
      specifiedAs: { additionalProperties: operand },
      additionalProperties: additional,
    };
  };
}

function patternProperties(operand: unknown): Check {
  const patterns = Object.entries(docOf('patternProperties', operand)).map(([pattern, sub]) => ({
    regex: compileRegex(pattern, ''),
    check: compile(docOf(pattern, sub)),
  }));
  return (value) => {
    if (!isDoc(value)) return undefined;
    for (const { regex, check } of patterns) {
      for (const [propertyName, field] of Object.entries(value)) {
        const failure = regex.test(propertyName) ? check(field) : undefined;
        if (failure !== undefined)
          return { operatorName: 'patternProperties', details: [{ propertyName, details: [failure] }] };
      }
    }
    return undefined;
  };
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
