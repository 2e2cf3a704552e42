/** Sends one item of each conversation at a time, in order, for as long as there is a connection. */
import { retryAfter } from '../errors.ts';

/** Pauses before an item is sent again, in milliseconds; doubled in between. */
const AGAIN_MS = { first: 500, longest: 10_000 };

export interface LanesOptions<T> {
  /** The first item of a conversation that is to be sent. */
  first(key: string): T | undefined;
  /** Whether sending makes sense now. */
  mayGo(): boolean;
  /** @throws ClientError where the same has to be tried again */
  carryOut(item: T): Promise<void>;
}

/** @returns starts the lane of a conversation, unless it runs */
export function createLanes<T>({ first, mayGo, carryOut }: LanesOptions<T>): (key: string) => void {
  const running = new Set<string>();

  async function run(key: string): Promise<void> {
    let pause = AGAIN_MS.first;
    for (let item = first(key); item !== undefined && mayGo(); item = first(key)) {
      try {
        await carryOut(item);
        pause = AGAIN_MS.first;
      } catch (error) {
        // Without a connection the lane ends; it is started again with the next one.
        if (!mayGo()) return;
        const wait = retryAfter(error) ?? pause;
        pause = Math.min(pause * 2, AGAIN_MS.longest);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  return (key) => {
    if (running.has(key)) return;
    running.add(key);
    void run(key).finally(() => running.delete(key));
  };
}
