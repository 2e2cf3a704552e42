import { int } from '../reply.ts';
import type { Command, Request } from './command.ts';

/** MongoDB 6.0's wire version: what this database speaks is a part of that. */
const WIRE_VERSION = 17;
const VERSION = '6.0.0';

/**
 * The reply to `hello`. It describes a standalone server: drivers then send neither transaction numbers nor retry
 * writes, so a write whose connection broke is reported to the caller, who alone knows whether it may be repeated.
 */
function hello({ name }: Request) {
  return {
    ...(name === 'hello' ? { isWritablePrimary: true } : { ismaster: true }),
    helloOk: true,
    maxBsonObjectSize: int(16 * 1024 * 1024),
    maxMessageSizeBytes: int(48_000_000),
    maxWriteBatchSize: int(100_000),
    localTime: new Date(),
    logicalSessionTimeoutMinutes: int(30),
    minWireVersion: int(0),
    maxWireVersion: int(WIRE_VERSION),
    readOnly: false,
  };
}

const ok: Command = { fields: [], run: () => ({}) };
const greeting: Command = {
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
  run: (_, request) => hello(request),
};

const buildInfo: Command = {
  fields: [],
  run: () => ({
    version: VERSION,
    versionArray: VERSION.split('.')
      .map((part) => int(Number(part)))
      .concat(int(0)),
    modules: [],
    storageEngines: ['lmdb'],
    maxBsonObjectSize: int(16 * 1024 * 1024),
    bits: int(64),
    debug: false,
  }),
};

/** The commands by which drivers get to know the server. */
export const handshake: Record<string, Command> = {
  hello: greeting,
  isMaster: greeting,
  ismaster: greeting,
  ping: ok,
  endSessions: ok,
  buildInfo,
  buildinfo: buildInfo,
};
