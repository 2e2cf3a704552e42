/** The command line of `npm run load`. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MIXES, type MixName } from './mixes.ts';

export interface LoadOptions {
  /** The server, without a slash at the end. Nothing else is ever asked for anything. */
  url: string;
  users: number;
  /** Planned actions per second, over all processes. */
  rate: number;
  mix: MixName;
  seconds: number;
  processes: number;
  /** Commands under way at most, over all processes; beyond that actions are not begun. */
  inFlight: number;
  /** How long an answer is waited for, in milliseconds. */
  timeoutMs: number;
  seed: number;
  /** The folder for the report; undefined: a new temporary one. */
  out?: string;
  /** Where given, accounts are made by the server API (section 12 of the protocol) instead of by registration. */
  serverKey?: string;
}

/** What is wrong with the command line, in words for its author. */
export class ArgumentsError extends Error {}

export const USAGE = `npm run load -- --url URL [options]

  --url URL         the server, e.g. https://chat.example.org
  --users N         users, each with one connection (default 100)
  --rate R          planned actions per second, all users together (default: a tenth of the users)
  --mix NAME        ${Object.keys(MIXES).join(' | ')} (default chat)
  --for TIME        how long, e.g. 60s, 5m (default 60s)
  --processes N     processes that make the load (default: one less than there are cores)
  --in-flight N     commands under way at most; what is due beyond that is not begun (default: 5 s of the rate)
  --timeout TIME    how long an answer is waited for (default 10s)
  --server-key KEY  makes the accounts by the server API instead of by registration
  --out FOLDER      where load-report.json and load-report.html go (default: a new temporary folder)
  --seed N          the same seed plans the same actions at the same times (default: a random one)`;

const text = { type: 'string' } as const;
const OPTIONS = {
  url: text,
  users: { ...text, default: '100' },
  rate: text,
  mix: { ...text, default: 'chat' },
  for: { ...text, default: '60s' },
  processes: text,
  'in-flight': text,
  timeout: { ...text, default: '10s' },
  'server-key': text,
  out: text,
  seed: text,
};

/** Fewer would not do when receipts of whole groups come at once. */
const LEAST_IN_FLIGHT = 500;

/**
 * @param args what follows the program's name
 * @throws ArgumentsError that names the option and what it takes
 */
export function parseArguments(args: string[]): LoadOptions {
  const values = parsed(args);
  const mix = oneOf('--mix', values.mix, Object.keys(MIXES) as MixName[]);
  const users = whole('--users', values.users, 2, 1_000_000);
  if (MIXES[mix].roomSize === 2 && users % 2 !== 0) {
    throw new ArgumentsError(`--users: an even number, since the mix ${mix} is one of pairs`);
  }
  const rate = values.rate === undefined ? Math.max(1, users / 10) : positive('--rate', values.rate, 1_000_000);
  const cores = availableParallelism();
  return {
    url: address(values.url),
    users,
    rate,
    mix,
    seconds: milliseconds('--for', values.for) / 1000,
    processes: values.processes === undefined ? Math.max(1, cores - 1) : whole('--processes', values.processes, 1, 256),
    inFlight:
      values['in-flight'] === undefined
        ? Math.max(LEAST_IN_FLIGHT, Math.ceil(rate * 5))
        : whole('--in-flight', values['in-flight'], 1, 1_000_000),
    timeoutMs: milliseconds('--timeout', values.timeout),
    seed:
      values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : whole('--seed', values.seed, 0, 2 ** 32 - 1),
    ...(values.out === undefined ? {} : { out: values.out }),
    ...(values['server-key'] === undefined ? {} : { serverKey: values['server-key'] }),
  };
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new ArgumentsError((error as Error).message);
  }
}

function address(value: string | undefined): string {
  if (value === undefined) throw new ArgumentsError('--url is missing: the server that the load is for');
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new ArgumentsError(`--url: not an http(s) address: ${value}`);
  if (url.pathname !== '/' || url.search || url.hash || url.username) {
    throw new ArgumentsError('--url: protocol, host and port only, e.g. http://127.0.0.1:3000');
  }
  return url.origin;
}

function whole(option: string, value: string, least: number, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new ArgumentsError(`${option}: a whole number from ${least} to ${most}, not "${value}"`);
  }
  return number;
}

function positive(option: string, value: string, most: number): number {
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!(number > 0 && number <= most)) {
    throw new ArgumentsError(`${option}: a number above 0, at most ${most}, not "${value}"`);
  }
  return number;
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function milliseconds(option: string, value: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value) ?? [];
  const found = Number(number) * UNITS[unit ?? '']!;
  if (!(found >= 100 && found <= 24 * UNITS.h!)) {
    throw new ArgumentsError(`${option}: a time such as 60s or 5m, from 100ms to 24h, not "${value}"`);
  }
  return found;
}

function oneOf<T extends string>(option: string, value: string, allowed: T[]): T {
  const found = allowed.find((name) => name === value);
  if (!found) throw new ArgumentsError(`${option}: one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}
