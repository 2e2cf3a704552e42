/** What a client of the contract does: HTTP, accounts, and connected devices that check what they are sent. */
import type { Socket } from 'socket.io-client';
import { compile, type Validate } from '../../server/lib/validation.ts';
import type { SignedIn } from '../../shared/contract/accounts.ts';
import type { WireError } from '../../shared/contract/errors.ts';
import {
  type CommandData,
  type CommandName,
  type CommandPayload,
  commands,
  type EventName,
  type EventPayload,
  events,
} from '../../shared/contract/index.ts';
import { openSocket } from './sockets.ts';

/** How far the database's clock, which servers go by, may be from that of the tests, in milliseconds. */
export const CLOCKS_MS = 1000;
/** The longest wait for an event, and for an answer, in milliseconds: on a machine that does much else. */
const EVENT_MS = 20_000;
const ANSWER_MS = 30_000;

export interface HttpAnswer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any;
  headers: Headers;
}

export interface HttpOptions {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** One HTTP request with a JSON body. */
export async function http(
  base: string,
  method: string,
  route: string,
  { token, body, headers }: HttpOptions = {},
): Promise<HttpAnswer> {
  const response = await fetch(base + route, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // Before a test's own time is over, so that it says which request was not answered.
    signal: AbortSignal.timeout(50_000),
  });
  const text = await response.text();
  return { status: response.status, json: parse(text), headers: response.headers };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface Account extends SignedIn {
  id: string;
  username: string;
  email: string;
  password: string;
}

let serial = 0;

/** A name that no other test uses. */
export function uniqueName(prefix = 'u'): string {
  serial++;
  return `${prefix}${process.pid.toString(36)}${serial.toString(36)}${Math.floor(Math.random() * 1e7).toString(36)}`;
}

/** How often a registration is tried: a busy machine answers `unavailable`, and says to repeat it. */
const REGISTRATIONS = 5;

/** Registers a user. */
export async function register(
  base: string,
  over: Record<string, unknown> = {},
  tries = REGISTRATIONS,
): Promise<Account> {
  const username = uniqueName();
  const body = { username, email: `${username}@example.test`, password: 'Correct-horse-9', ...over };
  const answer = await http(base, 'POST', '/auth/register', { body });
  if (answer.status === 503 && tries > 1) return register(base, over, tries - 1);
  if (answer.status !== 201) throw new Error(`register: ${answer.status} ${JSON.stringify(answer.json)}`);
  return {
    ...answer.json,
    id: answer.json.user._id,
    username: body.username,
    email: body.email,
    password: body.password,
  };
}

/** Registers several users at once. */
export async function registerMany(base: string, count: number): Promise<Account[]> {
  return Promise.all(Array.from({ length: count }, () => register(base)));
}

const eventValidators = new Map<string, Validate>();
const dataValidators = new Map<string, Validate>();

function assertValid(kind: 'event' | 'data', name: string, value: unknown): void {
  const cache = kind === 'event' ? eventValidators : dataValidators;
  let validate = cache.get(name);
  if (!validate) {
    validate = compile(kind === 'event' ? events[name as EventName].payload : commands[name as CommandName].data);
    cache.set(name, validate);
  }
  if (!validate(value)) {
    throw new Error(
      `${kind} of ${name} breaks the contract: ${JSON.stringify(validate.errors)} ${JSON.stringify(value)}`,
    );
  }
}

export interface Recorded {
  name: EventName;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  payload: any;
  at: number;
}

export interface Device {
  socket: Socket;
  account: Account;
  id: string;
  events: Recorded[];
  /** The payloads of an event seen so far. */
  seen<N extends EventName>(name: N, matches?: (payload: EventPayload<N>) => boolean): EventPayload<N>[];
  /** The first matching event, seen already or still to come. */
  next<N extends EventName>(
    name: N,
    matches?: (payload: EventPayload<N>) => boolean,
    timeoutMs?: number,
  ): Promise<EventPayload<N>>;
  clear(): void;
  /** A command that must succeed. Its data is checked against the contract. */
  ok<N extends CommandName>(name: N, payload?: CommandPayload<N>): Promise<CommandData<N>>;
  /** A command that must be refused. */
  refused(name: string, payload?: unknown): Promise<WireError>;
  /** Whatever is sent, whatever comes back. */
  raw(name: string, ...args: unknown[]): Promise<{ ok: boolean; data?: unknown; error?: WireError }>;
  close(): void;
}

/** Connects a device; it throws into the test when an event breaks the contract. */
export async function connect(
  base: string,
  account: Account,
  { auth = {}, headers = {} }: { auth?: Record<string, unknown>; headers?: Record<string, string> } = {},
): Promise<Device> {
  const socket = openSocket(base, { token: account.access_token, ...auth }, { extraHeaders: headers });
  const recorded: Recorded[] = [];
  const waiting = new Set<(event: Recorded) => void>();
  socket.onAny((name: EventName, payload: unknown) => {
    assertValid('event', name, payload);
    const event: Recorded = { name, payload, at: Date.now() };
    recorded.push(event);
    for (const look of waiting) look(event);
  });
  const device: Device = {
    socket,
    account,
    id: account.id,
    events: recorded,
    seen: (name, matches = () => true) =>
      recorded.filter((event) => event.name === name && matches(event.payload)).map((event) => event.payload),
    next(name, matches = () => true, timeoutMs = EVENT_MS) {
      const found = recorded.find((event) => event.name === name && matches(event.payload));
      if (found) return Promise.resolve(found.payload);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          const names = recorded.map((event) => event.name).join(', ');
          reject(new Error(`no matching ${name} within ${timeoutMs} ms; seen: ${names}`));
        }, timeoutMs);
        const look = (event: Recorded) => {
          if (event.name !== name || !matches(event.payload)) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(event.payload);
        };
        waiting.add(look);
      });
    },
    clear() {
      recorded.length = 0;
    },
    async ok(name, payload) {
      const answer = await device.raw(name, payload ?? {});
      if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(answer.error)}`);
      assertValid('data', name, answer.data);
      return answer.data as never;
    },
    async refused(name, payload = {}) {
      const answer = await device.raw(name, payload);
      if (answer.ok || !answer.error) throw new Error(`${name} was not refused: ${JSON.stringify(answer.data)}`);
      return answer.error;
    },
    raw: (name, ...args) => socket.timeout(ANSWER_MS).emitWithAck(name, ...args),
    close: () => void socket.disconnect(),
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('connect_error', reject);
    device.next('session:ready', undefined, ANSWER_MS).then(() => resolve(), reject);
  });
  return device;
}

/** Two new users, each connected to a server of their own, or both to one. */
export async function connectPair(first: string, second: string): Promise<[Device, Device]> {
  const [a, b] = await Promise.all([register(first), register(second)]);
  return Promise.all([connect(first, a), connect(second, b)]);
}

/** Lets everything arrive that is under way, by a round trip on each device and a moment for what other nodes send. */
export async function settle(...devices: Device[]): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  await Promise.all(devices.map((device) => device.raw('message:history', { recipient_id: '0'.repeat(24) })));
}
