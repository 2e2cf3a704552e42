import type { ObjectId } from 'mongodb';

/** Who sends a command, from where. */
export interface Caller {
  userId: ObjectId;
  /** The same as hex characters. */
  id: string;
  /** Undefined where a server key acts as the user: its own budget is spent then, and none of the user's. */
  sessionId: string | undefined;
  /** The connection that acts: it gets the acknowledgement instead of the event. Undefined over HTTP. */
  socketId: string | undefined;
  /**
   * Keeps the commands of one connection in their order, although each looks something up first: look-ups run side by
   * side, `act` is called in the order of the calls.
   * @param prepare the look-up
   * @param act called in turn with what was found; the next in turn does not wait for its result
   */
  inTurn<P, R>(prepare: Promise<P>, act: (prepared: P) => Promise<R>): Promise<R>;
}

/** A caller with a session, as the commands that belong to one need it. */
export interface SessionCaller extends Caller {
  sessionId: string;
}

/** A caller with a connection, as the commands that act on one need it. */
export interface DeviceCaller extends SessionCaller {
  socketId: string;
}

/** The turns of one connection. */
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
