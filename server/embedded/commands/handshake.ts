import { MECHANISM } from '../auth/session.ts';
import { int } from '../values/numbers.ts';
import { MAX_MESSAGE } from '../wire/format.ts';
import type { Command } from './command.ts';
import { speculate } from './sasl.ts';
import { MAX_STATEMENTS } from './statements.ts';
import { MAX_DOCUMENT } from './storing.ts';

/** This database speaks a part of what MongoDB 6.0 speaks. */
const WIRE_VERSION = 17;
const VERSION = '6.0.0';

/**
 * Describes a standalone server. Drivers then send no transaction numbers and do not repeat writes by themselves: if the
 * connection breaks during a write, the caller is told, who alone knows whether the write may be repeated.
 */
export const hello: Command = {
  fields: [
    'helloOk',
    'client',
    'compression',
    'saslSupportedMechs',
    'topologyVersion',
    'maxAwaitTimeMS',
    'loadBalanced',
    'speculativeAuthenticate',
    'backpressure',
  ],
  isOpen: true,
  run: (_, { name, body }, session) => ({
    ...(name === 'hello' ? { isWritablePrimary: true } : { ismaster: true }),
    helloOk: true,
    maxBsonObjectSize: int(MAX_DOCUMENT),
    maxMessageSizeBytes: int(MAX_MESSAGE),
    maxWriteBatchSize: int(MAX_STATEMENTS),
    localTime: new Date(),
    logicalSessionTimeoutMinutes: int(30),
    minWireVersion: int(0),
    maxWireVersion: int(WIRE_VERSION),
    readOnly: false,
    ...(session.needsPassword && 'saslSupportedMechs' in body ? { saslSupportedMechs: [MECHANISM] } : {}),
    speculativeAuthenticate: speculate(session, body),
  }),
};

export const buildInfo: Command = {
  fields: [],
  run: () => ({
    version: VERSION,
    versionArray: [...VERSION.split('.').map(Number), 0].map(int),
    modules: [],
    storageEngines: ['lmdb'],
    maxBsonObjectSize: int(MAX_DOCUMENT),
    bits: int(64),
    debug: false,
  }),
};

export const ping: Command = { fields: [], isOpen: true, run: () => ({}) };

/** Sessions hold nothing here. */
export const endSessions: Command = { fields: [], run: () => ({}) };
