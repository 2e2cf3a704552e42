import { type Environment, readOneOf, readText, readUrls, wrongSetting } from '../lib/environment.ts';

/**
 * Options of a connection string, in lower case, that would take away what the server relies on, each with the one
 * value that does not; undefined where there is no such value. `server/model/connect.ts` sets them all.
 */
const FIXED_OPTIONS: Record<string, string | undefined> = {
  readpreference: 'primary',
  readpreferencetags: undefined,
  maxstalenessseconds: undefined,
  readconcernlevel: 'majority',
  w: 'majority',
  journal: 'true',
  j: 'true',
  fsync: undefined,
  retrywrites: 'true',
  retryreads: 'true',
  timeoutms: undefined,
};

const MONGODB_EXAMPLE = 'mongodb://db-1,db-2,db-3/letsapp?replicaSet=rs0';

/** Where data is kept. */
export function readStores(env: Environment) {
  return {
    mongodbUrl: readMongodbUrl(env),
    databasePassword: readText(env, 'DATABASE_PASSWORD'),
    redisUrls: readUrls(env, 'REDIS_URL', ['redis:', 'rediss:']),
    dataDir: readText(env, 'DATA_DIR') ?? './data',
    mediaStorage: readOneOf(env, 'MEDIA_STORAGE', ['gridfs', 'disk'], 'gridfs'),
  };
}

function readMongodbUrl(env: Environment): string | undefined {
  const url = readText(env, 'MONGODB_URL');
  if (url === undefined) return undefined;
  // Not readUrl: a MongoDB URL may list several hosts.
  if (!/^mongodb(\+srv)?:\/\/.+/.test(url)) {
    throw wrongSetting('MONGODB_URL', 'must be a URL that begins with mongodb:// or mongodb+srv://', MONGODB_EXAMPLE);
  }
  for (const [name, value] of new URLSearchParams(url.split('?')[1])) {
    const key = name.toLowerCase();
    if (!Object.hasOwn(FIXED_OPTIONS, key) || FIXED_OPTIONS[key] === value.toLowerCase()) continue;
    const wanted = FIXED_OPTIONS[key] === undefined ? 'sets that itself' : `relies on ${name}=${FIXED_OPTIONS[key]}`;
    throw wrongSetting('MONGODB_URL', `must not say ${name}=${value}: the server ${wanted}`, MONGODB_EXAMPLE);
  }
  return url;
}
