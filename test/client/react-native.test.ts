/**
 * React Native, as far as it can be had without a phone: a world of its own with what Hermes has and no more, where the
 * storage of the guide keeps what the client needs over a restart. What components show is React's, and tested as that.
 */
import { webcrypto } from 'node:crypto';
import vm from 'node:vm';
import { build } from 'esbuild';
import { beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect as device, registerMany } from '../support/client.ts';
import { sampleOf } from '../support/samples.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

const ROOT = `${import.meta.dirname}/../..`;

/** As its documents say: everything is a promise, and what is not there is null. */
class AsyncStorage {
  readonly values = new Map<string, string>();
  getItem = async (key: string) => this.values.get(key) ?? null;
  setItem = async (key: string, value: string) => void this.values.set(key, value);
  removeItem = async (key: string) => void this.values.delete(key);
  getAllKeys = async () => [...this.values.keys()];
}

/** As of the polyfill that React Native has: no reason, and nothing that throws it. */
const ABORTING = `
  globalThis.AbortSignal = class {
    aborted = false;
    listeners = new Set();
    addEventListener(_name, listener) { this.listeners.add(listener); }
    removeEventListener(_name, listener) { this.listeners.delete(listener); }
  };
  globalThis.AbortController = class {
    signal = new AbortSignal();
    abort() {
      if (this.signal.aborted) return;
      this.signal.aborted = true;
      for (const listener of this.signal.listeners) listener({ type: 'abort' });
    }
  };`;

let server: TestServer;
let script: string;
beforeAll(async () => {
  server = await sharedServer();
  const contents = `
    ${sampleOf('shared/client/README.md', 'AsyncStorage')}
    import { connect } from 'letsapp-client';
    globalThis.start = (token) => connect({ url: '${server.url}', getToken: () => token, storage });`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    format: 'iife',
    platform: 'browser',
    alias: { 'letsapp-client': `${ROOT}/shared/client` },
    plugins: [
      {
        name: 'native',
        setup({ onResolve, onLoad }) {
          const filter = /^(@react-native-async-storage\/async-storage|react-native-.*)$/;
          onResolve({ filter }, ({ path }) => ({ path, namespace: 'native' }));
          onLoad({ filter: /^@/, namespace: 'native' }, () => ({ contents: 'export default nativeStorage' }));
          onLoad({ filter: /^react/, namespace: 'native' }, () => ({ contents: '' }));
        },
      },
    ],
    write: false,
  });
  script = outputFiles[0]!.text;
});

/** Starts the app anew. */
function startApp(nativeStorage: AsyncStorage, token: string) {
  const world = vm.createContext({
    nativeStorage,
    navigator: { product: 'ReactNative' },
    crypto: { getRandomValues: (bytes: Uint8Array) => webcrypto.getRandomValues(bytes) },
    WebSocket,
    ...{ console, fetch, URL, Blob, FormData, atob, btoa, queueMicrotask },
    ...{ setTimeout, clearTimeout, setInterval, clearInterval, setImmediate },
  });
  vm.runInContext(`globalThis.window = globalThis.self = globalThis; ${ABORTING} ${script}`, world);
  return vm.runInContext(`start('${token}')`, world);
}

it('a client in React Native keeps what it has in AsyncStorage, and sends after a restart what waited', async () => {
  const [a, b] = await registerMany(server.url, 2);
  const nativeStorage = new AsyncStorage();
  const target = { recipient_id: b!.id };
  const shownBy = (client: ReturnType<typeof startApp>) =>
    [...client.messages(target).get().messages].map(({ content, state }) => `${content} ${state}`);

  const first = startApp(nativeStorage, a!.access_token);
  const warnings: unknown[] = [];
  first.on('warning', ({ message }: { message: string }) => warnings.push(message));
  await expect.poll(() => first.state).toBe('ready');
  first.send(target, { content: 'sent' });
  await expect.poll(() => shownBy(first)).toEqual(['sent sent']);
  await expect.poll(() => first.conversations.get().length).toBe(1);
  await first.close();
  expect([...nativeStorage.values.keys()].every((key) => key.startsWith(`letsapp/${a!.id}/`))).toBe(true);

  const again = startApp(nativeStorage, a!.access_token);
  await expect.poll(() => shownBy(again)).toEqual(['sent sent']);
  const ben = await device(server.url, b!);
  again.send(target, { content: 'after the restart' });
  await ben.next('message:new', ({ message }) => message.content === 'after the restart');
  expect(warnings).toEqual([]);
  await again.close();
  ben.close();
});
