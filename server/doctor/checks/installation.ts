/** The collections, indexes and validators that the server relies on. */
import { isDeepStrictEqual } from 'node:util';
import { INDEXES } from '../../model/indexes.ts';
import { installIndexes, isInstalled } from '../../model/install-indexes.ts';
import { validators } from '../../model/validators.ts';
import type { Check } from '../check.ts';

export const indexes: Check = {
  name: 'indexes',
  async *find({ db, log }) {
    const listed = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
    for (const [name, declared] of Object.entries(INDEXES)) {
      const stored = listed.has(name) ? await db.collection(name).indexes() : [];
      for (const index of declared.filter((one) => !isInstalled(one, stored))) {
        yield {
          what: `${name}: index ${index.name}`,
          repair: () => installIndexes(db, log, { declared: { [name]: [index] } }),
        };
      }
    }
  },
};

export const validation: Check = {
  name: 'validators',
  async *find({ db }) {
    const listed = await db.listCollections().toArray();
    const options = new Map(listed.map((one) => [one.name, 'options' in one ? one.options : undefined]));
    for (const [name, validator] of Object.entries(validators())) {
      const stored = options.get(name);
      const isStrict = (stored?.validationLevel ?? 'strict') === 'strict';
      const refuses = (stored?.validationAction ?? 'error') === 'error';
      if (stored && isDeepStrictEqual(stored.validator, validator) && isStrict && refuses) continue;
      yield {
        what: `${name}: validator`,
        repair: async () => {
          if (!options.has(name)) await db.createCollection(name);
          await db.command({ collMod: name, validator, validationLevel: 'strict', validationAction: 'error' });
        },
      };
    }
  },
};

/** Documents that were stored while their collection had no validator, or past it. */
export const documents: Check = {
  name: 'documents',
  async *find({ db }) {
    for (const [name, validator] of Object.entries(validators())) {
      const invalid = db.collection(name).find({ $nor: [validator] }, { projection: { _id: 1 } });
      for await (const { _id } of invalid) yield { what: `${name} ${_id}: not valid by the schema` };
    }
  },
};
