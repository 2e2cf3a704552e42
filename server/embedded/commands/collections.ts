import { compileValidator } from '../query/validator.ts';
import { withOptions } from '../storage/collection.ts';
import type { Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { int } from '../values/numbers.ts';
import { type Command, existing, targetOf } from './command.ts';
import { applyExpiry, type ExpiryChange, expiryChange } from './expiry.ts';
import { docField } from './fields.ts';

const COLLECTION_OPTIONS = ['validator', 'validationLevel', 'validationAction'];

/** The options of `create` and `collMod`, checked. */
function optionsOf(body: Doc): Doc {
  const options = Object.fromEntries(
    COLLECTION_OPTIONS.filter((name) => name in body).map((name) => [name, body[name]]),
  );
  if (options.validator !== undefined) docField(options, 'validator');
  compileValidator(options.validator);
  checkEnumeration(options, 'validationLevel', ['off', 'strict', 'moderate']);
  checkEnumeration(options, 'validationAction', ['error', 'warn']);
  return options;
}

function checkEnumeration(options: Doc, name: string, allowed: string[]): void {
  const value = options[name];
  if (value !== undefined && !allowed.includes(value as string)) {
    throw new Fault(2, `Enumeration value '${String(value)}' for field '${name}' is not a valid value.`);
  }
}

export const create: Command = {
  fields: COLLECTION_OPTIONS,
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

export const collMod: Command = {
  fields: [...COLLECTION_OPTIONS, 'index'],
  run: (engine, request) => {
    const options = optionsOf(request.body);
    const ofIndex = docField(request.body, 'index');
    return engine.write(() => {
      const found = existing(engine, request);
      const collection = withOptions(found, { ...found.options, ...options });
      const change = ofIndex && expiryChange(collection, ofIndex);
      engine.catalog.save(change ? applyExpiry(collection, change) : collection);
      return change ? expiryReply(change) : {};
    });
  },
};

function expiryReply({ index, expireAfterSeconds }: ExpiryChange): Doc {
  const before = index.spec.expireAfterSeconds;
  return {
    ...(before === undefined ? {} : { expireAfterSeconds_old: before }),
    expireAfterSeconds_new: expireAfterSeconds,
  };
}

export const drop: Command = {
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
