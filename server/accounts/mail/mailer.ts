/** The mails of accounts: sent by SMTP, or without `SMTP_URL` replaced by a line in the log. */
import type { Logger } from 'pino';
import type { Config } from '../../config.ts';
import { plainTextMail } from './plain-text.ts';

export interface Mailer {
  /**
   * Sends a link in the background and tries again for some minutes. Never throws: a failure is logged.
   * @param link contains the token, which goes into the mail and nowhere else
   */
  sendPasswordReset(to: string, link: string): void;
  /** Drops mails that wait for another attempt; resolves within two seconds. */
  close(): Promise<void>;
}

export interface MailerOptions {
  config: Pick<Config, 'smtpUrl' | 'mailFrom' | 'production'>;
  log: Logger;
}

/** Loads the client of SMTP only where there is a mail server. */
export async function createMailer({ config, log }: MailerOptions): Promise<Mailer> {
  const { smtpUrl, mailFrom, production } = config;
  return smtpUrl === undefined ? createLogMailer(production, log) : createSmtpMailer(smtpUrl, mailFrom, log);
}

async function createSmtpMailer(url: string, from: string, log: Logger): Promise<Mailer> {
  const { createOutbox } = await import('./outbox.ts');
  const outbox = createOutbox({ url, log });
  return {
    sendPasswordReset: (to, link) =>
      outbox.send(plainTextMail({ from, to, subject: 'Your new LetsApp password', text: passwordResetText(link) })),
    close: outbox.close,
  };
}

/** Logs the link for a developer to follow. In production it logs only that mail is not set up. */
function createLogMailer(production: boolean, log: Logger): Mailer {
  return {
    sendPasswordReset(_to, link) {
      if (production) log.error('cannot send a password reset mail: SMTP_URL is not set');
      else log.warn(`password reset link: ${link}`);
    },
    close: async () => {},
  };
}

function passwordResetText(link: string): string {
  return [
    'Somebody asked for a new password for your LetsApp account.',
    'If it was you, follow this link within 30 minutes:',
    link,
    'If it was not you, ignore this mail: your password stays as it is.',
  ].join('\r\n\r\n');
}
