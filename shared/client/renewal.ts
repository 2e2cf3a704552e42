/** Access tokens in time: each is replaced a little before it expires. */

/** How long before its end a token is replaced, in milliseconds. */
const RENEW_BEFORE_MS = 30_000;
/** The longest delay that a timer can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface Renewal {
  /** A token for a new connection; from now on its successors follow in time. */
  next(): Promise<string>;
  stop(): void;
}

/** @param onRenewed called with each successor; @param onFailed when there is none */
export function createRenewal(
  getToken: () => string | Promise<string>,
  onRenewed: (token: string) => void,
  onFailed: (error: unknown) => void,
): Renewal {
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function next(): Promise<string> {
    const token = await getToken();
    clearTimeout(timer);
    const left = expiryOf(token) - Date.now() - RENEW_BEFORE_MS;
    timer = setTimeout(() => void next().then(onRenewed, onFailed), Math.min(Math.max(left, 1000), MAX_TIMER_MS));
    return token;
  }
  return { next, stop: () => clearTimeout(timer) };
}

/** When a JWT expires, in milliseconds since 1970. */
function expiryOf(token: string): number {
  const claims = atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'));
  return (JSON.parse(claims) as { exp: number }).exp * 1000;
}
