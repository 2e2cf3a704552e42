/** APNs over HTTP/2 without TLS. */
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { apnsKey } from './keys.ts';
import { createScript, type Script } from './script.ts';

export interface Notification {
  headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
  body: any;
  at: number;
}

export interface ApnsStandIn extends Script {
  url: string;
  env: Record<string, string>;
  key: string;
  received: Notification[];
  /** The sessions that were opened, newest last. */
  sessions: ServerHttp2Session[];
  /** Called with each request before it is answered. */
  onRequest(listener: (session: ServerHttp2Session, streamId: number) => void): void;
  close(): Promise<void>;
}

export async function startApns(port = 0): Promise<ApnsStandIn> {
  const script = createScript();
  const received: Notification[] = [];
  const sessions: ServerHttp2Session[] = [];
  let listener: Parameters<ApnsStandIn['onRequest']>[0] = () => {};
  const server = createServer();
  server.on('session', (session) => sessions.push(session));
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers) => {
    let text = '';
    stream.setEncoding('utf8');
    stream.on('error', () => {});
    stream.on('data', (chunk: string) => {
      text += chunk;
    });
    stream.on('end', () => {
      received.push({ headers, body: JSON.parse(text), at: performance.now() });
      listener(stream.session as ServerHttp2Session, stream.id!);
      const answer = script.take();
      if (answer === 'hang' || stream.destroyed) return;
      const { status = 200, headers: more = {}, body } = answer ?? {};
      stream.respond({ ':status': status, 'apns-id': crypto.randomUUID(), ...more });
      stream.end(body === undefined ? undefined : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const key = apnsKey();
  return {
    ...script,
    url,
    key,
    received,
    sessions,
    env: {
      APNS_URL: url,
      APNS_KEY: key,
      APNS_KEY_ID: 'KEYID12345',
      APNS_TEAM_ID: 'TEAMID1234',
      APNS_TOPIC: 'org.example.chat',
    },
    onRequest(next) {
      listener = next;
    },
    async close() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
