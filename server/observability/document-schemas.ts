/** The schemas of the published documents: each thing with a name of its own is described once, and referred to. */
import type { TSchema } from 'typebox';
import * as accounts from '../../shared/contract/accounts.ts';
import * as documents from '../../shared/contract/documents.ts';
import { DeviceInfo } from '../../shared/contract/values.ts';
import { ERROR_SCHEMA, toPlainSchema } from './document-parts.ts';

/** What the contract exports with a capital letter is a schema. */
const NAMED = Object.entries({ ...documents, ...accounts, DeviceInfo }).filter(
  ([name, value]) => /^[A-Z][a-z]/.test(name) && typeof value === 'object',
) as [string, TSchema][];

export interface Schemas {
  /** @returns the schema in plain JSON Schema, with references to those that have a name */
  describe(schema: unknown): unknown;
  /** Gives a schema a name. @returns a reference to it */
  named(name: string, schema: unknown): object;
  /** What was referred to so far, by name. */
  components(): Record<string, unknown>;
}

/** Collects the schemas of one document. */
export function createSchemas(): Schemas {
  /** Names by what they stand for: an optional property holds a copy of its schema. */
  const names = new Map(NAMED.map(([name, schema]) => [JSON.stringify(toPlain(schema)), name]));
  const components: Record<string, unknown> = {};

  function withReferences(plain: unknown): unknown {
    if (Array.isArray(plain)) return plain.map(withReferences);
    if (plain === null || typeof plain !== 'object') return plain;
    const name = names.get(JSON.stringify(plain));
    return name === undefined ? inside(plain) : refer(name, plain);
  }

  function inside(plain: object): object {
    return Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, withReferences(value)]));
  }

  function refer(name: string, plain: unknown): object {
    if (!(name in components)) {
      // Noted first, so that one that holds itself ends.
      components[name] = undefined;
      components[name] = inside(plain as object);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  return {
    describe: (schema) => withReferences(toPlain(schema)),
    named: (name, schema) => refer(name, toPlain(schema)),
    components: () => Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** The name and the schema of what each refusal carries. */
export const ERROR: [string, object] = [
  'Error',
  { type: 'object', required: ['error'], properties: { error: ERROR_SCHEMA } },
];

const toPlain = (schema: unknown) => forGenerators(toPlainSchema(schema));

/**
 * Says the same in words that code generators know: the values of a record are its additional properties, what is
 * required is named as a property, what depends on a property is one of several objects, "this or else that" is any of.
 */
function forGenerators(plain: unknown): unknown {
  if (Array.isArray(plain)) return plain.map(forGenerators);
  if (plain === null || typeof plain !== 'object') return plain;
  const cases = casesOf(plain);
  if (cases) return { anyOf: cases.map(forGenerators) };
  if (isAlternative(plain)) return { anyOf: [plain.if, plain.else].map(forGenerators) };
  const { patternProperties, ...rest } = plain as Record<string, unknown> & { required?: unknown };
  const values = (patternProperties as Record<string, unknown> | undefined)?.['^.*$'];
  const all: Record<string, unknown> = values === undefined ? { ...plain } : { ...rest, additionalProperties: values };
  if (Array.isArray(rest.required) && !('properties' in rest)) {
    all.properties = Object.fromEntries(rest.required.map((name) => [name, {}]));
  }
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, forGenerators(value)]));
}

type WithProperties = { properties: Record<string, unknown> };

/** @returns the objects that `if` and `then` tell apart by a property; undefined where there are none */
function casesOf(plain: object): object[] | undefined {
  const { allOf, ...rest } = plain as WithProperties & { allOf?: { if?: WithProperties; then?: WithProperties }[] };
  if (!Array.isArray(allOf) || !allOf.every((part) => part.if?.properties && part.then)) return undefined;
  return allOf.map((part) => ({
    ...rest,
    properties: { ...rest.properties, ...part.if?.properties, ...part.then?.properties },
  }));
}

/** Whether one of two things is required: the second where the first is not there. */
function isAlternative(plain: object): plain is { if: object; else: object } {
  const { if: first, else: second, ...rest } = plain as { if?: object; else?: object };
  const asksFor = (part?: object) => part !== undefined && Object.keys(part).join() === 'required';
  return asksFor(first) && asksFor(second) && Object.keys(rest).length === 0;
}

/** `message:send` and `/media/{id}/link` in the form of a type's name: `MessageSend`, `MediaIdLink`. */
export function typeName(words: string): string {
  return words
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean)
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join('');
}
