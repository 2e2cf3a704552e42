/**
 * MongoDB `$jsonSchema` validators built from `letsapp.schema.json`: the same definitions with native types in place of
 * strings (ObjectId for `objectId`, Date for `timestamp`).
 */
import { readFileSync } from 'node:fs';
import { projectFile } from '../lib/project-file.ts';

interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  maxItems?: number;
}

interface SchemaFile {
  definitions: Record<string, JsonSchema>;
  properties: Record<string, { items: JsonSchema }>;
}

const NATIVE: Record<string, object> = {
  objectId: { bsonType: 'objectId' },
  timestamp: { bsonType: 'date' },
};

/** The data schema as written in the file. */
export function readSchemaFile(): SchemaFile {
  return JSON.parse(readFileSync(projectFile('shared/letsapp.schema.json'), 'utf8'));
}

/** @returns a validator `{ $jsonSchema }` for each collection of the schema, by the collection's name */
export function validators(schema: SchemaFile = readSchemaFile()): Record<string, { $jsonSchema: object }> {
  const translate = (part: JsonSchema): object => {
    if (part.$ref) {
      const name = part.$ref.split('/').pop()!;
      return NATIVE[name] ?? translate(schema.definitions[name]!);
    }
    return {
      ...(part.type === undefined ? {} : { bsonType: bsonType(part.type) }),
      ...(part.enum === undefined ? {} : { enum: part.enum }),
      ...(part.required === undefined ? {} : { required: part.required }),
      ...(part.maxItems === undefined ? {} : { maxItems: part.maxItems }),
      ...(part.items === undefined ? {} : { items: translate(part.items) }),
      ...(part.properties === undefined
        ? {}
        : {
            properties: Object.fromEntries(
              Object.entries(part.properties).map(([name, property]) => [name, translate(property)]),
            ),
          }),
    };
  };
  return Object.fromEntries(
    Object.entries(schema.properties).map(([name, { items }]) => [name, { $jsonSchema: translate(items) }]),
  );
}

function bsonType(type: string | string[]): string | string[] {
  const name = (one: string) => (one === 'boolean' ? 'bool' : one);
  return Array.isArray(type) ? type.map(name) : name(type);
}
