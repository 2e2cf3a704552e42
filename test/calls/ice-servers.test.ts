/** ICE servers: the static ones, and TURN credentials that a real coturn accepts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iceServersFor } from '../../server/calls/ice-servers.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { people } from './scene.ts';
import { allocate } from './turn-client.ts';

const SECRET = 'a secret that coturn and LetsApp share';
const STUN = { urls: 'stun:stun.example.org:3478' };

let port: number;
let turn: ChildProcess;
let turnOutput = '';
let directory: string;
let server: TestServer;

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port: free } = socket.address() as AddressInfo;
  socket.close();
  return free;
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'letsapp-turn-'));
  port = await freeUdpPort();
  turn = spawn('turnserver', [
    ...['-n', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`],
    ...['--use-auth-secret', `--static-auth-secret=${SECRET}`, '--realm=letsapp.test'],
    ...['--no-tls', '--no-dtls', '--no-tcp', '--no-cli', '--log-file=stdout', '--simple-log'],
    ...[`--pidfile=${path.join(directory, 'pid')}`, `--userdb=${path.join(directory, 'db')}`],
  ]);
  turn.stdout!.on('data', (chunk) => {
    turnOutput += chunk;
  });
  turn.stderr!.resume();
  server = await startServer({
    env: {
      ICE_SERVERS: JSON.stringify([STUN]),
      TURN_URLS: `turn:127.0.0.1:${port}?transport=udp`,
      TURN_SECRET: SECRET,
    },
  });
});
afterAll(async () => {
  await server?.stop();
  if (turn.exitCode === null) {
    turn.kill('SIGKILL');
    await once(turn, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
});

describe('ICE servers', () => {
  it('come with initiate, accept and join, and coturn accepts their credentials', async () => {
    const [a, b] = await people(server.url, 2);
    const { call, ice_servers } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    const answered = await b!.ok('call:accept', { call_id: call._id });
    const joined = await b!.ok('call:join', { call_id: call._id });
    for (const [servers, userId] of [
      [ice_servers, a!.id],
      [answered.ice_servers, b!.id],
      [joined.ice_servers, b!.id],
    ] as const) {
      expect(servers[0]).toEqual(STUN);
      const { urls, username, credential } = servers[1]!;
      expect(urls).toEqual([`turn:127.0.0.1:${port}?transport=udp`]);
      const [expiry, id] = username!.split(':');
      expect(id).toBe(userId);
      expect(Math.abs(Number(expiry) - Date.now() / 1000 - 3600)).toBeLessThan(30);
      expect(await allocate(port, username!, credential!), turnOutput).toBe('allocated');
    }
    await a!.ok('call:end', { call_id: call._id });
  });

  it('with expired or altered credentials get no allocation', async () => {
    const settings = { iceServers: [], turnUrls: ['turn:x'], turnSecret: SECRET };
    const at = (time: number) => {
      const { username = '', credential = '' } = iceServersFor(settings, 'someone', new Date(time))[0]!;
      return { username, credential };
    };
    const expired = at(Date.now() - 3_700_000);
    expect(await allocate(port, expired.username, expired.credential)).toBe(401);
    const good = at(Date.now());
    expect(await allocate(port, good.username, good.credential)).toBe('allocated');
    const longer = good.username.replace(/^\d+/, (expiry) => String(Number(expiry) + 3600));
    expect(await allocate(port, longer, good.credential)).toBe(401);
    expect(await allocate(port, good.username.replace('someone', 'another'), good.credential)).toBe(401);
    const altered = `${good.credential.startsWith('A') ? 'B' : 'A'}${good.credential.slice(1)}`;
    expect(await allocate(port, good.username, altered)).toBe(401);
  });

  it('are only the static ones without a secret', () => {
    const settings = { iceServers: [STUN], turnUrls: [], turnSecret: undefined };
    expect(iceServersFor(settings, 'someone', new Date())).toEqual([STUN]);
  });

  it('carry the base64 HMAC-SHA1 of the username', () => {
    const settings = { iceServers: [], turnUrls: ['turn:t'], turnSecret: 'north' };
    expect(iceServersFor(settings, 'u', new Date(1_400_000_000_000))).toEqual([
      // echo -n 1400003600:u | openssl dgst -sha1 -hmac north -binary | base64
      { urls: ['turn:t'], username: '1400003600:u', credential: 'AXdsCC2cnq531Y5b6cPgtZkL+CY=' },
    ]);
  });
});
