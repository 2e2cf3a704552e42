/** A server of a part's own whose every command to its store passes a counting proxy. */
import { type CountingProxy, countingProxy } from '../support/counting-proxy.ts';
import type { Bench } from './bench.ts';
import type { LetsApp } from './sides.ts';

export async function startProxied(bench: Bench): Promise<{ app: LetsApp; proxy: CountingProxy }> {
  let proxy: CountingProxy | undefined;
  const app = await bench.ownApp({
    wayTo: async (url) => {
      proxy = await countingProxy(url);
      return proxy.url;
    },
  });
  bench.own({ stop: proxy!.close });
  return { app, proxy: proxy! };
}
