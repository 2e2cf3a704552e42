/** An issuer, a server that takes its tokens, and what clients of both do. */
import { afterAll, beforeAll } from 'vitest';
import { type Account, connect, type Device, http } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { seconds, startIssuer, type TestIssuer } from './issuer.ts';

/** Starts both before the tests of a file, and stops them after these. */
export function issuerScene() {
  let issuer: TestIssuer;
  let server: TestServer;
  beforeAll(async () => {
    issuer = await startIssuer();
    server = await startServer({ env: issuer.env });
  });
  afterAll(async () => {
    await server?.stop();
    await issuer?.close();
  });

  const me = (token: string, base = server.url) => http(base, 'GET', '/users/me', { token });
  const sessionsOf = async (token: string, base = server.url) =>
    (await http(base, 'GET', '/auth/sessions', { token })).json.sessions;

  /** A device that connects by a token. Nobody registered its account. */
  async function join(token: string, base = server.url): Promise<Device & { sessionId: string }> {
    const device = await connect(base, { access_token: token } as Account);
    const { user, session_id } = await device.next('session:ready');
    return Object.assign(device, { id: user._id, sessionId: session_id });
  }

  /** A token that was issued long enough ago that another one is surely later. */
  const issuedBefore = (claims: Record<string, unknown>) => issuer.token({ iat: seconds() - 10, ...claims });
  /** Issued after whatever has ended by now: `iat` counts whole seconds. */
  const issuedAfter = (claims: Record<string, unknown>) => issuer.token({ iat: seconds() + 1, ...claims });

  return {
    get issuer() {
      return issuer;
    },
    get server() {
      return server;
    },
    me,
    sessionsOf,
    join,
    issuedBefore,
    issuedAfter,
  };
}

export const refusal = (joining: Promise<Device>) =>
  joining.then(
    () => 'taken',
    (error) => error.data?.code,
  );

export async function ended(device: Device): Promise<void> {
  await device.next('session:revoked');
  if (device.socket.connected) await new Promise((resolve) => device.socket.once('disconnect', resolve));
}
