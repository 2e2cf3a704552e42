import { type Environment, readOneOf, readText, readUrls } from '../lib/environment.ts';
import { ConfigError } from '../lib/errors.ts';

/** Where data is kept. */
export function readStores(env: Environment) {
  const mongodbUrl = readText(env, 'MONGODB_URL');
  // Not readUrl: a MongoDB URL may list several hosts.
  if (mongodbUrl !== undefined && !/^mongodb(\+srv)?:\/\/.+/.test(mongodbUrl)) {
    throw new ConfigError('MONGODB_URL must be a URL that begins with mongodb:// or mongodb+srv://');
  }
  return {
    mongodbUrl,
    redisUrls: readUrls(env, 'REDIS_URL', ['redis:', 'rediss:']),
    dataDir: readText(env, 'DATA_DIR') ?? './data',
    mediaStorage: readOneOf(env, 'MEDIA_STORAGE', ['gridfs', 'disk'], 'gridfs'),
  };
}
