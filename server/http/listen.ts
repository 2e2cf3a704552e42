/** Where the server listens (PROTOCOL section 10, `HOST` and `PORT`). */
import { lookup } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import { ConfigError } from '../lib/errors.ts';

/**
 * Starts to listen.
 * @returns the URL, e.g. `http://127.0.0.1:3000`
 * @throws ConfigError naming the variable that is wrong
 */
export async function listen(app: FastifyInstance, { host, port }: Pick<Config, 'host' | 'port'>): Promise<string> {
  // Only the first address of a name: on further ones Fastify would serve the routes but not Socket.IO's long polling.
  const { address } = await lookup(host, { order: 'ipv4first' }).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`HOST ${host} cannot be resolved: ${error.code ?? error.message}`);
  });
  await app.listen({ host: address, port }).catch((error: NodeJS.ErrnoException) => {
    const which = error.code === 'EADDRNOTAVAIL' ? `HOST ${host}` : `PORT ${port} of ${host}`;
    throw new ConfigError(`${which} cannot be listened on: ${error.message}`);
  });
  return listeningUrl(app, host);
}

/** The URL of a server that listens, with the port that it got. */
export function listeningUrl(app: FastifyInstance, host: string): string {
  const { port } = app.server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
