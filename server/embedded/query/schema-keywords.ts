import { compare } from '../values/compare.ts';
import { type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isNumber, toNumber } from '../values/numbers.ts';
import { typeAliases, typeName } from '../values/types.ts';

/** Returns undefined for a valid value, otherwise what is wrong with it, in the shape of MongoDB's `errInfo`. */
export type Check = (value: unknown) => Doc | undefined;

/** Compiles a keyword's operand. It is given `compile` for the schemas inside. */
export type Keyword = (operand: unknown, keyword: string, compile: (schema: Doc) => Check) => Check;

function failure(operatorName: string, operand: unknown, reason: string, consideredValue: unknown): Doc {
  return { operatorName, specifiedAs: { [operatorName]: operand }, reason, consideredValue };
}

const bsonType: Keyword = (operand, operatorName) => {
  const aliases = new Set((Array.isArray(operand) ? operand : [operand]).flatMap(typeAliases));
  return (value) => {
    const consideredType = typeName(value);
    if (aliases.has(consideredType)) return undefined;
    return { operatorName, specifiedAs: { bsonType: operand }, reason: 'type did not match', consideredType };
  };
};

const required: Keyword = (operand, operatorName) => {
  const names = listOf(operatorName, operand).map(String);
  return (value) => {
    if (!isDoc(value)) return undefined;
    const missingProperties = names.filter((name) => !Object.hasOwn(value, name));
    if (missingProperties.length === 0) return undefined;
    return { operatorName, specifiedAs: { required: operand }, missingProperties };
  };
};

const properties: Keyword = (operand, operatorName, compile) => {
  const checks = Object.entries(schemaOf(operatorName, operand)).map(([name, schema]) => ({
    name,
    check: compile(schemaOf(name, schema)),
  }));
  return (value) => {
    if (!isDoc(value)) return undefined;
    const propertiesNotSatisfied = checks.flatMap(({ name, check }) => {
      const failed = Object.hasOwn(value, name) ? check(value[name]) : undefined;
      return failed === undefined ? [] : [{ propertyName: name, details: [failed] }];
    });
    return propertiesNotSatisfied.length === 0 ? undefined : { operatorName, propertiesNotSatisfied };
  };
};

const items: Keyword = (operand, operatorName, compile) => {
  if (!isDoc(operand)) throw new Fault(238, "only one schema for all 'items' is supported here");
  const check = compile(operand);
  return (value) => {
    if (!Array.isArray(value)) return undefined;
    const itemIndex = value.findIndex((element) => check(element) !== undefined);
    if (itemIndex < 0) return undefined;
    const details = [check(value[itemIndex])];
    return { operatorName, reason: 'At least one item did not match the sub-schema', itemIndex, details };
  };
};

const oneOfValues: Keyword = (operand, keyword) => {
  const values = listOf(keyword, operand);
  return (value) =>
    values.some((each) => compare(each, value) === 0)
      ? undefined
      : failure(keyword, operand, 'value was not found in enum', value);
};

/** A keyword that limits a size. `measure` returns undefined for values without one, which pass. */
function limit(
  measure: (value: unknown) => number | undefined,
  holds: (size: number, limit: number) => boolean,
): Keyword {
  return (operand, keyword) => {
    if (!isNumber(operand)) throw new Fault(14, `$jsonSchema keyword '${keyword}' must be a number`);
    const bound = toNumber(operand);
    return (value) => {
      const size = measure(value);
      if (size === undefined || holds(size, bound)) return undefined;
      return failure(keyword, operand, 'comparison failed', value);
    };
  };
}

const atLeast = (size: number, bound: number) => size >= bound;
const atMost = (size: number, bound: number) => size <= bound;
const numberIn = (value: unknown) => (isNumber(value) ? toNumber(value) : undefined);
const textLength = (value: unknown) => (typeof value === 'string' ? [...value].length : undefined);
const arrayLength = (value: unknown) => (Array.isArray(value) ? value.length : undefined);

function listOf(keyword: string, operand: unknown): unknown[] {
  if (!Array.isArray(operand) || operand.length === 0) {
    throw new Fault(9, `$jsonSchema keyword '${keyword}' must be a non-empty array`);
  }
  return operand;
}

function schemaOf(keyword: string, operand: unknown): Doc {
  if (!isDoc(operand)) throw new Fault(14, `$jsonSchema keyword '${keyword}' must be an object`);
  return operand;
}

/** The keywords that this database checks, by name. */
export const schemaKeywords: Record<string, Keyword> = {
  bsonType,
  required,
  properties,
  items,
  enum: oneOfValues,
  minimum: limit(numberIn, atLeast),
  maximum: limit(numberIn, atMost),
  minLength: limit(textLength, atLeast),
  maxLength: limit(textLength, atMost),
  minItems: limit(arrayLength, atLeast),
  maxItems: limit(arrayLength, atMost),
};
