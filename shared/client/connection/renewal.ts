/** Access tokens in time: each is replaced a little before it expires. */
import { claimsOf } from './token.ts';

/** How long before its end a token is replaced, in milliseconds; of a short-lived one after half of its time. */
const RENEW_BEFORE_MS = 30_000;
/** The shortest pause between two tokens, in milliseconds. */
const SHORTEST_MS = 1000;
/** The longest delay that a timer can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface Renewal {
  /** A token for a new connection; from now on its successors follow in time. */
  next(): Promise<string>;
  stop(): void;
}

/**
 * @param onRenewed called with each successor
 * @param onFailed called when there is none; it is asked for again in time
 */
export function createRenewal(
  getToken: () => string | Promise<string>,
  onRenewed: (token: string) => void,
  onFailed: (error: unknown) => void,
): Renewal {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;

  function plan(delay: number): void {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(
      () =>
        void next().then(onRenewed, (error: unknown) => {
          plan(SHORTEST_MS * 5);
          onFailed(error);
        }),
      Math.min(Math.max(delay, SHORTEST_MS), MAX_TIMER_MS),
    );
  }

  async function next(): Promise<string> {
    const token = await getToken();
    const { exp } = claimsOf(token);
    if (exp === undefined) return token;
    const left = exp * 1000 - Date.now();
    plan(left - Math.min(RENEW_BEFORE_MS, left / 2));
    return token;
  }

  return {
    next,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
