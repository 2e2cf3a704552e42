/**
 * Secrets from files: where `NAME` may hold a secret, `NAME_FILE` may name a file that holds it, as Docker and
 * Kubernetes mount them.
 */
import { readFileSync } from 'node:fs';
import { type Environment, readText, wrongSetting } from '../lib/environment.ts';
import { ConfigError } from '../lib/errors.ts';

/** Every setting that is a secret, or an address that may contain one. */
export const SECRETS = [
  'JWT_SECRET',
  'JWT_PRIVATE_KEY',
  'JWT_ALSO_VERIFY',
  'MONGODB_URL',
  'REDIS_URL',
  'DATABASE_PASSWORD',
  'SMTP_URL',
  'API_KEY',
  'METRICS_TOKEN',
  'ICE_SERVERS',
  'TURN_SECRET',
  'VAPID_PRIVATE_KEY',
  'FCM_SERVICE_ACCOUNT',
  'APNS_KEY',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'ADMIN_UI_PASSWORD',
] as const;

/**
 * The environment, with each secret that a file holds read from that file.
 * @throws ConfigError where a secret is given twice, or its file cannot be read or is empty
 */
export function withSecretFiles(env: Environment): Environment {
  const read: Environment = { ...env };
  for (const name of SECRETS) {
    const file = readText(env, `${name}_FILE`);
    if (file === undefined) continue;
    if (readText(env, name) !== undefined) {
      throw new ConfigError(`${name} and ${name}_FILE exclude each other: set one of them`);
    }
    read[name] = readSecret(name, file);
  }
  return read;
}

/** The text without the line break at its end, which editors and `echo` write. */
function readSecret(name: string, file: string): string {
  const example = `/run/secrets/${name.toLowerCase().replaceAll('_', '-')}`;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw wrongSetting(`${name}_FILE`, `names a file that cannot be read (${code})`, example);
  }
  if (text.trim() === '') throw wrongSetting(`${name}_FILE`, 'names a file that is empty', example);
  return text;
}
