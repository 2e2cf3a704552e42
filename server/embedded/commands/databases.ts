import { compileFilter } from '../query/match.ts';
import type { Collection } from '../storage/collection.ts';
import type { Engine } from '../storage/engine.ts';
import { long } from '../values/numbers.ts';
import { listReply } from './batch-reply.ts';
import type { Command } from './command.ts';
import { docField, flag } from './fields.ts';

export const dropDatabase: Command = {
  fields: [],
  run: (engine, { database }) =>
    engine.write(() => {
      const collections = collectionsOf(engine, database);
      collections.forEach(engine.catalog.drop);
      return collections.length === 0 ? {} : { dropped: database };
    }),
};

export const listCollections: Command = {
  fields: ['filter', 'nameOnly', 'cursor', 'authorizedCollections'],
  run: (engine, { database, body }) => {
    const filter = compileFilter(docField(body, 'filter'));
    const nameOnly = flag(body, 'nameOnly');
    const infos = collectionsOf(engine, database)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, options, uuid, primary }) => ({
        name,
        type: 'collection',
        ...(nameOnly ? {} : { options, info: { readOnly: false, uuid }, idIndex: primary.spec }),
      }))
      .filter(filter.test);
    return listReply(engine, `${database}.$cmd.listCollections`, infos, body);
  },
};

export const listDatabases: Command = {
  fields: ['filter', 'nameOnly', 'authorizedDatabases'],
  run: (engine, { body }) => {
    const names = new Set([...engine.catalog.collections().values()].map(({ database }) => database));
    const filter = compileFilter(docField(body, 'filter'));
    const databases = [...names].toSorted().map((name) => ({ name, sizeOnDisk: long(0), empty: false }));
    return { databases: databases.filter(filter.test), totalSize: long(0) };
  },
};

function collectionsOf(engine: Engine, database: string): Collection[] {
  return [...engine.catalog.collections().values()].filter((collection) => collection.database === database);
}
