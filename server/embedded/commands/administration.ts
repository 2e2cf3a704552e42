import type { Collection } from '../catalog.ts';
import { compileValidator, withOptions } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import { Fault } from '../errors.ts';
import { compileFilter } from '../match.ts';
import { int, long } from '../reply.ts';
import type { Doc } from '../values.ts';
import type { Command } from './command.ts';
import { batchOf, docField, existing, flag, targetOf } from './command.ts';

const collectionOptions = ['validator', 'validationLevel', 'validationAction'];

/** The options of `create` and `collMod`, checked. */
function optionsOf(body: Doc): Doc {
  const options = Object.fromEntries(
    collectionOptions.filter((name) => name in body).map((name) => [name, body[name]]),
  );
  if (options.validator !== undefined) docField(options, 'validator');
  compileValidator(options.validator);
  oneOf(options, 'validationLevel', ['off', 'strict', 'moderate']);
  oneOf(options, 'validationAction', ['error', 'warn']);
  return options;
}

function oneOf(options: Doc, name: string, allowed: string[]): void {
  const value = options[name];
  if (value !== undefined && !allowed.includes(value as string)) {
    throw new Fault(2, `Enumeration value '${String(value)}' for field '${name}' is not a valid value.`);
  }
}

const create: Command = {
  fields: collectionOptions,
  run: (engine, request) => {
    const namespace = targetOf(request);
    const options = optionsOf(request.body);
    return engine.write(() => {
      if (engine.catalog.find(namespace) !== undefined) throw new Fault(48, `Collection ${namespace} already exists.`);
      engine.catalog.create(namespace, options);
      return {};
    });
  },
};

const collMod: Command = {
  fields: collectionOptions,
  run: (engine, request) => {
    const options = optionsOf(request.body);
    return engine.write(() => {
      const collection = existing(engine, request);
      engine.catalog.save(withOptions(collection, { ...collection.options, ...options }));
      return {};
    });
  },
};

const drop: Command = {
  fields: [],
  run: (engine, request) => {
    const namespace = targetOf(request);
    return engine.write(() => {
      const collection = engine.catalog.find(namespace);
      if (collection === undefined) return {};
      engine.catalog.drop(collection);
      return { nIndexesWas: int(collection.indexes.length), ns: namespace };
    });
  },
};

const dropDatabase: Command = {
  fields: [],
  run: (engine, { database }) =>
    engine.write(() => {
      const collections = inDatabase(engine, database);
      collections.forEach(engine.catalog.drop);
      return collections.length === 0 ? {} : { dropped: database };
    }),
};

function inDatabase(engine: Engine, database: string): Collection[] {
  return [...engine.catalog.collections().values()].filter((collection) => collection.database === database);
}

const listCollections: Command = {
  fields: ['filter', 'nameOnly', 'cursor', 'authorizedCollections'],
  run: (engine, { database, body }) => {
    const filter = compileFilter(docField(body, 'filter') ?? {});
    const nameOnly = flag(body, 'nameOnly');
    const infos = inDatabase(engine, database)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, options, uuid, primary }) => ({
        name,
        type: 'collection',
        ...(nameOnly ? {} : { options, info: { readOnly: false, uuid }, idIndex: primary.spec }),
      }))
      .filter((info) => filter.test(info));
    return batchOf(engine, `${database}.$cmd.listCollections`, infos, body);
  },
};

const listDatabases: Command = {
  fields: ['filter', 'nameOnly', 'authorizedDatabases'],
  run: (engine, { body }) => {
    const names = new Set([...engine.catalog.collections().values()].map(({ database }) => database));
    const filter = compileFilter(docField(body, 'filter') ?? {});
    const databases = [...names].toSorted().map((name) => ({ name, sizeOnDisk: long(0), empty: false }));
    return { databases: databases.filter((each) => filter.test(each)), totalSize: long(0) };
  },
};

/** The commands for databases and collections. */
export const administration: Record<string, Command> = {
  create,
  collMod,
  drop,
  dropDatabase,
  listCollections,
  listDatabases,
};
