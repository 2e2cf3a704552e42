/** What the parts of one run share, and what is stopped at its end. */
import { type LetsApp, type LetsAppOptions, type Side, startLetsApp, startRelay } from './sides.ts';

/** Each figure is the median of so many rounds; the sides take turns. */
export const ROUNDS = 3;

export interface Bench {
  /** The checkout whose server and embedded database are measured; this one if undefined. */
  root: string | undefined;
  /** The server and the relay that all parts share, started when they are first asked for. */
  app(): Promise<LetsApp>;
  relay(): Promise<Side>;
  /** Starts a server of the part's own, with a database of its own. */
  ownApp(options?: Omit<LetsAppOptions, 'root'>): Promise<LetsApp>;
  /** Has something stopped at the end of the part. */
  own<T extends { stop(): Promise<unknown> }>(thing: T): T;
  /** Stops what the part has started for itself. */
  endPart(): Promise<void>;
  /** Stops everything. Whoever asks afterwards gets a new one. */
  stop(): Promise<void>;
}

export function createBench(root?: string): Bench {
  let [app, relay]: [Promise<LetsApp> | undefined, Promise<Side> | undefined] = [undefined, undefined];
  let owned: { stop(): Promise<unknown> }[] = [];

  function own<T extends { stop(): Promise<unknown> }>(thing: T): T {
    owned.push(thing);
    return thing;
  }

  async function endPart(): Promise<void> {
    const things = owned.reverse();
    owned = [];
    for (const thing of things) await thing.stop();
  }
  return {
    root,
    app: () => {
      app ??= startLetsApp({ root });
      return app;
    },
    relay: () => {
      relay ??= startRelay();
      return relay;
    },
    ownApp: async (options = {}) => own(await startLetsApp({ ...options, root })),
    own,
    endPart,
    async stop() {
      await endPart();
      const shared = [app, relay];
      [app, relay] = [undefined, undefined];
      for (const side of shared) {
        await side?.then(
          (started) => started.stop(),
          () => {}, // What did not start, and said so to whoever asked for it, needs no stopping.
        );
      }
    },
  };
}

/** Measures two sides in turns, so that whatever else the machine does falls on both alike. */
export async function inTurns<A, B>(one: () => Promise<A>, other: () => Promise<B>): Promise<[A, B][]> {
  const rounds: [A, B][] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push([await one(), await other()]);
  return rounds;
}
