import type { ObjectId } from 'mongodb';

/** Who sends a command, from where. */
export interface Caller {
  userId: ObjectId;
  /** The same as hex characters. */
  id: string;
  sessionId: string;
  socketId: string;
  /**
   * Keeps what a socket sends in the order in which it sent it, although what each command must look up first takes
   * its own time: look-ups run at once, `act` is called in the order of the calls.
   * @param prepare what is to be known first
   * @param act called with it, in turn; what it returns is not waited for by the next in turn
   */
  inTurn<P, R>(prepare: Promise<P>, act: (prepared: P) => Promise<R>): Promise<R>;
}

/** The turns of one socket. */
export function createTurns(): Caller['inTurn'] {
  let last: Promise<unknown> = Promise.resolve();
  return async (prepare, act) => {
    const before = last;
    const turn = Promise.allSettled([prepare, before]).then(async () => {
      const prepared = await prepare;
      // Wrapped, so that the next in turn waits for the call alone and not for its result.
      return { result: act(prepared) };
    });
    last = turn.catch(() => undefined);
    return (await turn).result;
  };
}
