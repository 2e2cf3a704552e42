/** A receiver of webhooks, which checks what it is sent: signature, shape, headers. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook as Signed } from 'standardwebhooks';
import { compile } from '../../server/lib/validation.ts';
import { WebhookData, type WebhookType } from '../../shared/contract/webhooks.ts';
import { http } from '../support/client.ts';

export const API_KEY = 'the-key-of-the-setting-0123456789';
/** What a server needs that sends to receivers here. */
export const WEBHOOK_ENV = { API_KEY, WEBHOOK_ALLOW_PRIVATE: 'on' };

export interface Received {
  id: string;
  type: WebhookType;
  timestamp: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into data of every type
  data: any;
  headers: IncomingHttpHeaders;
  /** When it came, by `performance.now()`. */
  at: number;
}

export interface TestReceiver {
  url: string;
  /** Every attempt that was signed and of the right shape, in the order of arrival. */
  received: Received[];
  /** What was wrong with others. */
  faults: string[];
  /** How it answers: by default 204. Undefined: not at all. */
  answer: (event: Received) => number | undefined | Promise<number | undefined>;
  /** The secret that signatures are checked by; unset they are not. */
  secret: string | undefined;
  /** The messages of a conversation, in the order of arrival, each event once. */
  messagesOf(conversationId: string): Received[];
  /** Goes away: connections are refused until it comes back. */
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}

const validates = Object.fromEntries(Object.entries(WebhookData).map(([type, schema]) => [type, compile(schema)]));

export async function startReceiver(): Promise<TestReceiver> {
  let server: Server;
  let port = 0;

  function check(body: string, headers: IncomingHttpHeaders): Received | string {
    if (headers['content-type'] !== 'application/json') return `content-type ${headers['content-type']}`;
    if (!headers['user-agent']?.startsWith('LetsApp')) return `user-agent ${headers['user-agent']}`;
    if (receiver.secret) {
      try {
        new Signed(receiver.secret).verify(body, headers as Record<string, string>);
      } catch (error) {
        return `signature: ${error}`;
      }
    }
    const event = JSON.parse(body);
    if (Object.keys(event).join() !== 'type,timestamp,data') return `keys ${Object.keys(event)}`;
    if (new Date(event.timestamp).toISOString() !== event.timestamp) return `timestamp ${event.timestamp}`;
    const validate = validates[event.type];
    if (!validate?.(event.data)) return `${event.type}: ${JSON.stringify(validate?.errors)} ${body}`;
    return { ...event, id: String(headers['webhook-id']), headers, at: performance.now() };
  }

  async function take(body: string, headers: IncomingHttpHeaders, response: ServerResponse): Promise<void> {
    const event = check(body, headers);
    if (typeof event === 'string') {
      receiver.faults.push(event);
      response.writeHead(500).end();
      return;
    }
    receiver.received.push(event);
    const status = await receiver.answer(event);
    if (status !== undefined) response.writeHead(status, status === 307 ? { location: '/elsewhere' } : {}).end();
  }

  async function back(): Promise<void> {
    server = createServer((request, response) => {
      request.toArray().then(
        (chunks: Buffer[]) => take(Buffer.concat(chunks).toString(), request.headers, response),
        () => {},
      );
    });
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  }

  async function away(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  const receiver: TestReceiver = {
    url: '',
    received: [],
    faults: [],
    answer: () => 204,
    secret: undefined,
    messagesOf(conversationId) {
      const ids = new Set<string>();
      return receiver.received.filter(({ id, data }) => {
        if (data.message?.conversation_id !== conversationId || ids.has(id)) return false;
        ids.add(id);
        return true;
      });
    },
    away,
    back,
    close: away,
  };
  await back();
  receiver.url = `http://127.0.0.1:${port}/hook`;
  return receiver;
}

/** Asks a server as the operator's back end. */
export const operator = (base: string, method: string, route: string, body?: unknown) =>
  http(base, method, `/server/webhooks${route}`, { token: API_KEY, ...(body === undefined ? {} : { body }) });

/** Makes a webhook that leads to a receiver, which then checks its signatures. */
export async function makeWebhook(base: string, name: string, receiver: TestReceiver, more: object = {}) {
  const { status, json } = await operator(base, 'PUT', `/${name}`, { url: receiver.url, ...more });
  if (status !== 200) throw new Error(`the webhook was refused: ${JSON.stringify(json)}`);
  if (json.secret) receiver.secret = json.secret;
  return json;
}

/** The webhook of a name as it is listed. */
export async function webhookNamed(base: string, name: string) {
  const { json } = await operator(base, 'GET', '');
  return json.webhooks.find((webhook: { name: string }) => webhook.name === name);
}
