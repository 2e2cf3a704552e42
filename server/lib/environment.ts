/** Reads environment variables. An empty variable counts as unset; an error names the variable and says why. */
import { ConfigError } from './errors.ts';

/** Usually `process.env`. */
export type Environment = Record<string, string | undefined>;

/** How a secret is made; it stands where an example of one would. */
export const SECRET_EXAMPLE = '$(openssl rand -hex 32)';

/**
 * A setting that is wrong.
 * @param problem what is wrong, to follow the name; never a part of a secret
 * @param example a value that would be right
 */
export function wrongSetting(name: string, problem: string, example: string | number): ConfigError {
  return new ConfigError(`${name} ${problem}; for example ${name}=${example}`);
}

/** @returns the text without surrounding white space; undefined when it is unset */
export function readText(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

/** @returns the comma-separated parts, in order */
export function readList(env: Environment, name: string): string[] {
  return (readText(env, name) ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}

/** @throws ConfigError unless it is a whole number of the range, both ends included */
export function readInteger(env: Environment, name: string, fallback: number, min: number, max: number): number {
  const text = readText(env, name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw wrongSetting(name, `must be a whole number from ${min} to ${max}, not "${text}"`, fallback);
  }
  return value;
}

/** @throws ConfigError unless it is one of the values */
export function readOneOf<const V extends string>(
  env: Environment,
  name: string,
  values: readonly V[],
  fallback: V,
): V {
  const text = readText(env, name) ?? fallback;
  const found = values.find((value) => value === text);
  if (found === undefined) throw wrongSetting(name, `must be one of ${values.join(', ')}, not "${text}"`, fallback);
  return found;
}

/** @throws ConfigError unless it is `on` or `off` */
export function readSwitch(env: Environment, name: string, fallback: 'on' | 'off'): boolean {
  return readOneOf(env, name, ['on', 'off'], fallback) === 'on';
}

/**
 * @param protocols with colons: `['http:', 'https:']`
 * @throws ConfigError unless it is a URL with a host and one of the protocols
 */
export function readUrl(env: Environment, name: string, protocols: string[]): string | undefined {
  const text = readText(env, name);
  return text && asUrl(name, text, protocols);
}

/** A comma-separated list of URLs, each as by `readUrl`. */
export function readUrls(env: Environment, name: string, protocols: string[]): string[] {
  return readList(env, name).map((part) => asUrl(name, part, protocols));
}

function asUrl(name: string, text: string, protocols: string[]): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.hostname && protocols.includes(url.protocol)) return text;
  // The text is left out: it may contain a password.
  const beginnings = protocols.map((protocol) => `${protocol}//`).join(' or ');
  const example = `${protocols.at(-1)}//${name.split('_')[0]!.toLowerCase()}.example.org`;
  throw wrongSetting(name, `must be a URL with a host that begins with ${beginnings}`, example);
}
