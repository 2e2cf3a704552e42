import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type LookupFunction } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createOutbound, type Outbound, OutboundError } from '../../../server/lib/outbound/outbound.ts';
import { SELF_SIGNED } from '../../support/self-signed.ts';

/** Names as the test says they resolve; others do not. */
const resolving = (names: Record<string, string[]>): LookupFunction =>
  ((hostname, options, callback) => {
    const found = (names[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const error = found.length === 0 ? Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }) : null;
    if (options.all) callback(error, found);
    else callback(error, found[0]?.address ?? '', found[0]?.family);
  }) as LookupFunction;

function outbound(names: Record<string, string[]> = {}, allowPrivate = false): Outbound {
  const made = createOutbound({ allowPrivate, lookup: resolving(names) });
  onTestFinished(made.close);
  return made;
}

async function listen(listener: RequestListener): Promise<{ url: string; port: number; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://receiver.test:${port}/hook`, port, server };
}

const LOCAL = { 'receiver.test': ['127.0.0.1'] };
const post = (to: Outbound, url: string, more: object = {}) => to.post({ url, headers: {}, body: '{}', ...more });

describe('a URL', () => {
  const names = {
    'good.test': ['1.1.1.1', '2606:4700::1'],
    'bad.test': ['10.0.0.1'],
    'mixed.test': ['1.1.1.1', '::1'],
  };

  it.each(['https://good.test/hook?a=b', 'https://good.test:8443/', 'https://unknown.test/', 'https://1.1.1.1/'])(
    '%s may be used',
    async (url) => {
      expect(await outbound(names).refusal(url)).toBeUndefined();
    },
  );

  it.each([
    ...['http://good.test/', 'ftp://good.test/', 'good.test', '', '//good.test/', 'https://', 'javascript:alert(1)'],
    ...['https://user:pass@good.test/', 'https://user@good.test/', `https://good.test/${'a'.repeat(2048)}`],
    ...[
      'https://bad.test/',
      'https://mixed.test/',
      'https://127.0.0.1/',
      'https://[::1]/',
      'https://[::ffff:1.1.1.1]/',
    ],
    ...['https://0x7f.1/', 'https://2130706433/', 'https://0177.0.0.1/', 'https://127.1/', 'https://１２７.0.0.1/'],
    ...['https://[64:ff9b::a00:1]/', 'https://[fe80::1]/', 'https://100.64.0.1/', 'https://0/'],
  ])('%s is refused', async (url) => {
    expect(await outbound(names).refusal(url)).toMatch(/^must /);
  });

  it('may be private and http where that is allowed, but hold no password', async () => {
    const free = outbound(names, true);
    expect(await free.refusal('http://127.0.0.1:3000/')).toBeUndefined();
    expect(await free.refusal('http://bad.test/')).toBeUndefined();
    expect(await free.refusal('http://user:pass@bad.test/')).toMatch(/^must NOT/);
    expect(await free.refusal('ftp://bad.test/')).toMatch(/^must /);
  });
});

describe('a request', () => {
  it('gives status, headers and the body, and uses its connection again', async () => {
    const ports = new Set<number | undefined>();
    const { url } = await listen((request, response) => {
      ports.add(request.socket.remotePort);
      request.toArray().then((chunks: Buffer[]) => {
        response.setHeader('x-size', String(Buffer.concat(chunks).length));
        response.statusCode = 201;
        response.end('made');
      });
    });
    const to = outbound(LOCAL, true);
    for (let i = 0; i < 3; i++) {
      const answer = await post(to, url, { body: 'ä', headers: { 'content-type': 'text/plain' } });
      expect([answer.status, answer.headers['x-size'], String(await answer.body())]).toEqual([201, '2', 'made']);
    }
    expect(ports.size).toBe(1);
  });

  it('connects to no address that is not globally reachable, whatever the name said before', async () => {
    const asked: string[] = [];
    const { port } = await listen((request, response) => {
      asked.push(request.url!);
      response.end();
    });
    const answers = [['1.1.1.1'], ['127.0.0.1']];
    const rebinding: LookupFunction = (hostname, options, callback) =>
      resolving({ 'rebind.test': answers.shift() ?? ['127.0.0.1'] })(hostname, options, callback);
    const to = createOutbound({ allowPrivate: false, lookup: rebinding });
    onTestFinished(to.close);
    const url = `https://rebind.test:${port}/`;
    expect(await to.refusal(url)).toBeUndefined();
    await expect(post(to, url)).rejects.toThrow('not globally reachable');
    await expect(post(to, `https://127.0.0.1:${port}/`)).rejects.toThrow(OutboundError);
    await expect(post(to, `http://127.0.0.1:${port}/`)).rejects.toThrow(OutboundError);
    expect(asked).toEqual([]);
  });

  it('follows no redirect', async () => {
    const asked: string[] = [];
    const { url } = await listen((request, response) => {
      asked.push(request.url!);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect((await post(outbound(LOCAL, true), url)).status).toBe(307);
    expect(asked).toEqual(['/hook']);
  });

  it('reads 64 KiB of an answer, and ends the connection where there is more', async () => {
    let closed: () => void;
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { url } = await listen((_request, response) => {
      response.on('close', closed);
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
        response.once('drain', write);
      };
      write();
    });
    const answer = await post(outbound(LOCAL, true), url);
    expect((await answer.body()).length).toBe(65_536);
    await isClosed;
  });

  it.each(['the headers', 'the body'])('ends at its deadline where %s do not come', async (missing) => {
    let closed: () => void;
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { url } = await listen((_request, response) => {
      response.on('close', closed);
      if (missing === 'the body') response.write('a');
    });
    const asking = post(outbound(LOCAL, true), url, { deadlineMs: 100 });
    if (missing === 'the body') await expect((await asking).body()).rejects.toThrow(OutboundError);
    else await expect(asking).rejects.toThrow('no answer in time');
    await isClosed;
  });

  it('can be cancelled', async () => {
    const cancelling = new AbortController();
    const { url } = await listen(() => cancelling.abort());
    const asking = post(outbound(LOCAL, true), url, { signal: cancelling.signal });
    await expect(asking).rejects.toThrow('the request was cancelled');
  });

  it('says why there is no answer, without the URL', async () => {
    const { url, server } = await listen(() => {});
    await new Promise((resolve) => server.close(resolve));
    await expect(post(outbound(LOCAL, true), url)).rejects.toThrow(/^no connection \(ECONNREFUSED\)$/);
    await expect(post(outbound({}, true), 'http://unknown.test/secret')).rejects.toThrow(
      /^no connection \(ENOTFOUND\)$/,
    );
  });

  it('is sent again at once where the other side had closed the idle connection', async () => {
    let answered = 0;
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      // Answers the first request of each connection, and resets it at the second.
      let requests = 0;
      socket.on('data', () => {
        if (requests++ > 0) return void socket.resetAndDestroy();
        answered++;
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const to = outbound(LOCAL, true);
    const url = `http://receiver.test:${(server.address() as AddressInfo).port}/`;
    for (let i = 0; i < 3; i++) {
      const answer = await post(to, url);
      await answer.body();
      expect(answer.status).toBe(200);
    }
    expect(answered).toBe(3);
  });

  it('accepts no certificate that nobody vouches for', async () => {
    const server = createTlsServer(SELF_SIGNED);
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `https://receiver.test:${(server.address() as AddressInfo).port}/`;
    await expect(post(outbound(LOCAL, true), url)).rejects.toThrow(/DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED/);
  });
});
