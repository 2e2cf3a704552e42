/** Sends mail by SMTP in the background, so that no request waits for a mail server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import type { Logger } from 'pino';

/** The wait before each further attempt, in milliseconds. */
const RETRY_AFTER_MS = [1000, 5000, 30_000, 120_000];
const CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 20_000;
/** How long a mail under way may still take once the server is shutting down, in milliseconds. */
const CLOSE_MS = 2000;
/** Replies from here on are final (RFC 5321, section 4.2.1). */
const FIRST_FINAL_REPLY = 500;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

export interface Outbox {
  /**
   * Sends a mail, trying again for some minutes. Never throws: a failure is logged.
   * @param mail what nodemailer's `sendMail` takes
   */
  send(mail: object): void;
  /** Drops mails that wait for another attempt; gives those under way two seconds. */
  close(): Promise<void>;
}

/** @param url the mail server, as `smtp://` or `smtps://` */
export function createOutbox({ url, log }: { url: string; log: Logger }): Outbox {
  const transport = createTransport({
    url,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    // Mail sinks for development offer TLS with unsigned certificates, and mail that stays on the machine needs none.
    ignoreTLS: LOOPBACK.has(new URL(url).hostname),
  });
  const closing = new AbortController();
  const aborting = new AbortController();
  const underWay = new Set<Promise<void>>();

  async function deliver(mail: object): Promise<void> {
    for (let attempt = 0; !closing.signal.aborted; attempt++) {
      try {
        await transport.sendMail({ ...mail, signal: aborting.signal });
        return;
      } catch (error) {
        const failure = describeFailure(error);
        const isFinal = (failure.responseCode ?? 0) >= FIRST_FINAL_REPLY;
        const wait = isFinal ? undefined : RETRY_AFTER_MS[attempt];
        if (wait === undefined) {
          log.error(failure, 'cannot send a mail; giving up');
          return;
        }
        log.warn({ ...failure, retry_in_ms: wait }, 'cannot send a mail; trying again');
        await sleep(wait, undefined, { signal: closing.signal, ref: false }).catch(() => {});
      }
    }
  }

  return {
    send(mail) {
      const delivery = deliver(mail);
      underWay.add(delivery);
      void delivery.finally(() => underWay.delete(delivery));
    },
    async close() {
      closing.abort();
      const deadline = setTimeout(() => aborting.abort(), CLOSE_MS);
      await Promise.all(underWay);
      clearTimeout(deadline);
      transport.close();
    },
  };
}

/** What may be logged of a failure. Its message is left out: a mail server's reply may quote the mail. */
function describeFailure(error: unknown): { code?: string; responseCode?: number; command?: string } {
  const { code, responseCode, command } = error as { code?: string; responseCode?: number; command?: string };
  return {
    ...(code === undefined ? {} : { code }),
    ...(responseCode === undefined ? {} : { responseCode }),
    ...(command === undefined ? {} : { command }),
  };
}
