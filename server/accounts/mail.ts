/** Mail for password resets, by SMTP. It goes out in the background: nobody's answer waits for a mail server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import MimeNode from 'nodemailer/lib/mime-node';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';

/** How long to wait before each further attempt, in milliseconds. */
const RETRY_AFTER_MS = [1000, 5000, 30_000, 120_000];
const CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 20_000;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
/** How long a mail that is on its way may still take when the server goes down, in milliseconds. */
const CLOSE_MS = 2000;

export interface Mailer {
  /**
   * Sends the link in the background, trying again for some minutes. Never throws: a failure is logged.
   * @param link holds the token: it goes into the mail and nowhere else
   */
  sendPasswordReset(to: string, link: string): void;
  /** Gives up what waits for another attempt. */
  close(): Promise<void>;
}

export interface MailerOptions {
  config: Pick<Config, 'smtpUrl' | 'mailFrom' | 'production'>;
  log: Logger;
}

/** Without `SMTP_URL` the link is logged in development, for the developer to follow, and lost in production. */
export function createMailer({ config, log }: MailerOptions): Mailer {
  if (config.smtpUrl === undefined) {
    return {
      sendPasswordReset(_to, link) {
        if (config.production) log.error('no password reset mail can be sent: SMTP_URL is not set');
        else log.warn(`password reset link: ${link}`);
      },
      close: async () => {},
    };
  }
  const transport = createTransport({
    url: config.smtpUrl,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    // Mail sinks for development offer TLS by certificates that nobody signed; what stays on the machine needs none.
    ignoreTLS: LOOPBACK.has(new URL(config.smtpUrl).hostname),
  });
  const closing = new AbortController();
  const givingUp = new AbortController();
  const sending = new Set<Promise<void>>();

  async function send(mail: object): Promise<void> {
    for (let attempt = 0; !closing.signal.aborted; attempt++) {
      try {
        await transport.sendMail({ ...mail, signal: givingUp.signal });
        return;
      } catch (error) {
        // Neither the message nor the error as a whole: a mail server's answer may quote the mail.
        const { code, responseCode, command } = error as { code?: string; responseCode?: number; command?: string };
        // A reply of the 500s is final (RFC 5321, section 4.2.1).
        const wait = (responseCode ?? 0) >= 500 ? undefined : RETRY_AFTER_MS[attempt];
        if (wait === undefined) {
          log.error({ code, responseCode, command }, 'a password reset mail could not be sent');
          return;
        }
        log.warn({ code, responseCode, command, retry_in_ms: wait }, 'a mail could not be sent; trying again');
        await sleep(wait, undefined, { signal: closing.signal, ref: false }).catch(() => {});
      }
    }
  }

  return {
    sendPasswordReset(to, link) {
      const text = [
        'Somebody asked for a new password for your LetsApp account.',
        'If it was you, follow this link within 30 minutes:',
        link,
        'If it was not, there is nothing to do: your password stays as it is.',
      ].join('\r\n\r\n');
      const sent = send(plainMail(config.mailFrom, to, 'Your new LetsApp password', text));
      sending.add(sent);
      void sent.finally(() => sending.delete(sent));
    },
    async close() {
      closing.abort();
      const deadline = setTimeout(() => givingUp.abort(), CLOSE_MS);
      await Promise.all(sending);
      clearTimeout(deadline);
      transport.close();
    },
  };
}

/**
 * A mail whose text is sent as it is. Left to itself, nodemailer would encode text with lines as long as the link's
 * (quoted-printable breaks them), and whoever copies a link out of the source of a mail would copy a broken one.
 * @param text ASCII, lines of at most 998 characters ended by CRLF (RFC 5322, section 2.1.1)
 */
function plainMail(from: string, to: string, subject: string, text: string): object {
  const node = new MimeNode('text/plain; charset=utf-8');
  node.setHeader({ from, to: { name: '', address: to }, subject, 'content-transfer-encoding': '7bit' });
  return { envelope: node.getEnvelope(), raw: `${node.buildHeaders()}\r\n\r\n${text}\r\n` };
}
