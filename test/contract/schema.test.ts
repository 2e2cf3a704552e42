import { randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { pino } from 'pino';
import type { TSchema } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Database } from '../../server/model/connect.ts';
import { readSchemaFile } from '../../server/model/validators.ts';
import * as documents from '../../shared/contract/documents.ts';
import { startDatabase } from '../support/database.ts';

type Part = ReturnType<typeof readSchemaFile>['definitions'][string];

const schema = readSchemaFile();
const collectionOf = new Map(
  Object.entries(schema.properties).map(([collection, { items }]) => [items.$ref!.split('/').pop()!, collection]),
);
const definitions = Object.entries(schema.definitions).filter(([, definition]) => definition.type === 'object');

let database: Database;
let stop: () => Promise<void>;

beforeAll(async () => {
  const { url, stop: stopDatabase } = await startDatabase();
  database = await connect(url, pino({ level: 'silent' }));
  stop = async () => {
    await database.db.dropDatabase();
    await database.close();
    await stopDatabase();
  };
});

afterAll(async () => {
  await stop?.();
});

/** A stored value that the part of the schema allows. */
function right(part: Part): unknown {
  const named = part.$ref?.split('/').pop();
  if (named === 'objectId') return new ObjectId();
  if (named === 'timestamp') return new Date();
  if (part.enum) return part.enum[0];
  const type = Array.isArray(part.type) ? part.type[0] : part.type;
  switch (type) {
    case 'string':
      return randomBytes(8).toString('hex');
    case 'number':
      return 5;
    case 'boolean':
      return true;
    case 'array':
      return [right(part.items!)];
    default:
      return Object.fromEntries(Object.entries(part.properties ?? {}).map(([name, inner]) => [name, right(inner)]));
  }
}

/** Stored values that it does not allow. */
function wrong(part: Part): unknown[] {
  const named = part.$ref?.split('/').pop();
  if (named === 'objectId') return ['f'.repeat(24), null, 5];
  if (named === 'timestamp') return [new Date().toISOString(), Date.now(), null];
  if (part.enum) return ['no such value', null, 5];
  const type = Array.isArray(part.type) ? part.type[0] : part.type;
  switch (type) {
    case 'string':
      return [5, {}, new ObjectId(), ...(Array.isArray(part.type) ? [] : [null])];
    case 'number':
      return ['5', null, true];
    case 'boolean':
      return ['true', 1, null];
    case 'array':
      return [
        'text',
        {},
        [wrong(part.items!)[0]],
        ...(part.maxItems === undefined ? [] : [Array.from({ length: part.maxItems + 1 }, () => right(part.items!))]),
      ];
    default: {
      const inner = Object.entries(part.properties ?? {}).map(([name, property]) => ({ [name]: wrong(property)[0] }));
      return ['text', 5, ...inner];
    }
  }
}

describe.each(definitions)('%s', (name, definition) => {
  it('has its collection with a validator', async () => {
    const collection = collectionOf.get(name)!;
    const [found] = await database.db.listCollections({ name: collection }).toArray();
    const options = (found as { options?: { validator?: { $jsonSchema?: { required: string[] } } } }).options;
    expect(options?.validator?.$jsonSchema?.required).toEqual(definition.required);
  });

  it('is taken by the database as the schema describes it', async () => {
    const collection = database.db.collection(collectionOf.get(name)!);
    await collection.insertOne({ ...unique(), ...(right(definition) as object) });
    const required = Object.fromEntries(definition.required!.map((key) => [key, right(definition.properties![key]!)]));
    await collection.insertOne({ ...unique(), ...required });
  });

  it.each(definition.required!.filter((key) => key !== '_id'))('is refused by the database without %s', async (key) => {
    const broken = { ...unique(), ...(right(definition) as Record<string, unknown>) };
    delete broken[key];
    await expectRefused(name, broken);
  });

  it.each(Object.keys(definition.properties!).filter((key) => key !== '_id'))(
    'is refused by the database with a wrong %s, also by an update',
    async (key) => {
      const collection = database.db.collection(collectionOf.get(name)!);
      const good = { ...unique(), ...(right(definition) as object) };
      const { insertedId } = await collection.insertOne(good);
      for (const value of wrong(definition.properties![key]!)) {
        await expectRefused(name, { ...unique(), ...(right(definition) as object), [key]: value });
        const update = collection.updateOne({ _id: insertedId }, { $set: { [key]: value } });
        await expect(update, `${key} = ${JSON.stringify(value)}`).rejects.toMatchObject({ code: 121 });
      }
    },
  );
});

/** Values for the fields beside the schema that unique indexes look at. */
function unique(): Record<string, unknown> {
  const text = randomBytes(12).toString('hex');
  const number = Number.parseInt(text.slice(0, 8), 16);
  return { username_key: text, email_key: text, conversation_id: text, seq: number, rev: number, key: text };
}

async function expectRefused(name: string, document: Record<string, unknown>): Promise<void> {
  const insert = database.db.collection(collectionOf.get(name)!).insertOne(document);
  await expect(insert, JSON.stringify(document)).rejects.toMatchObject({ code: 121 });
}

describe('the documents of the contract', () => {
  const onTheWire: [string, TSchema, string[]][] = [
    ['User', documents.Self, ['password', 'password_history']],
    ['Message', documents.PairMessage, []],
    ['GroupMessage', documents.GroupMessage, []],
    ['Group', documents.Group, []],
    ['Contact', documents.Contact, []],
    ['Call', documents.Call, []],
    ['Media', documents.Media, []],
    ['Presence', documents.Presence, []],
    ['File', documents.File, []],
  ];

  it('are all definitions of the schema but the one that never leaves', () => {
    expect([...onTheWire.map(([name]) => name), 'PasswordReset'].sort()).toEqual(
      definitions.map(([name]) => name).sort(),
    );
  });

  it.each(onTheWire)('%s has the properties of the schema, and what it requires', (name, document, secrets) => {
    const definition = schema.definitions[name]!;
    const { properties, required } = document as unknown as { properties: Record<string, Part>; required: string[] };
    const expected = Object.keys(definition.properties!).filter((key) => !secrets.includes(key));
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(expected));
    expect(required).toEqual(expect.arrayContaining(definition.required!.filter((key) => !secrets.includes(key))));
    for (const secret of secrets) expect(properties).not.toHaveProperty(secret);
    for (const [key, part] of Object.entries(definition.properties!)) {
      if (part.enum) expect(properties[key]!.enum).toEqual(part.enum);
    }
  });
});
