/**
 * The `Host` header: each request has one (RFC 9112, section 3.2), and where the server can be reached only from its
 * own machine, it must name this machine. A page whose name was made to point here (DNS rebinding) sends its own name.
 */
import type { IncomingMessage, Server } from 'node:http';
import { isIPv4 } from 'node:net';
import type { Config } from '../config.ts';
import { type ContractError, forbidden, invalid } from '../lib/errors.ts';

export type HostConfig = Pick<Config, 'host' | 'publicUrl' | 'trustProxy'>;

/** A name or an address, and maybe a port. Anything but white space and what ends or divides the authority of a URL. */
const HOST = /^(\[[\da-f:.]+\]|[^\s/?#@\\:[\]]*)(?::\d*)?$/i;

/** @returns why a request cannot be served under its `Host`; undefined when it can */
export function refusalByHost(
  { headersDistinct, httpVersion }: IncomingMessage,
  isOnlyLocal: () => boolean,
  ownName: string,
): ContractError | undefined {
  const hosts = headersDistinct.host ?? [];
  if (hosts.length === 0) return httpVersion === '1.1' ? invalid('Host', 'is missing') : undefined;
  const name = hosts.length === 1 ? HOST.exec(hosts[0]!)?.[1] : undefined;
  if (name === undefined) return invalid('Host', 'must be one name or address, with or without a port');
  if (isLoopback(name) || name.toLowerCase() === ownName.toLowerCase() || !isOnlyLocal()) return undefined;
  return forbidden(`this server is served on its own machine only, not as ${name}: PUBLIC_URL or TRUST_PROXY opens it`);
}

/**
 * Whether a server can be reached only from its own machine. Not where there is a proxy: one that is trusted, or one
 * that serves `PUBLIC_URL`.
 */
export function isOnlyLocal(server: Server, { publicUrl, trustProxy }: HostConfig): boolean {
  const address = server.address();
  if (publicUrl !== undefined || trustProxy || address === null || typeof address === 'string') return false;
  return isLoopback(address.address);
}

/** Whether a name or an address stands for the machine itself (RFC 6761, 6890). */
export function isLoopback(name: string): boolean {
  const bare = name.replace(/^\[|\]$|\.$/g, '').toLowerCase();
  if (bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1') return true;
  const ipv4 = bare.replace(/^::ffff:/, '');
  return isIPv4(ipv4) && ipv4.startsWith('127.');
}
