/** A real SMTP server that keeps the mails it receives. */
import { createServer } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface Sink {
  /** For `SMTP_URL`. */
  url: string;
  /** The token in the link of the next mail to an address, received already or still to come. */
  tokenFor(address: string): Promise<string>;
  /** How many mails an address has received. */
  count(address: string): number;
  close(): Promise<void>;
}

/** How long a mail is waited for, in milliseconds: long, because a busy machine hashes slowly. */
const PATIENCE_MS = 30_000;

interface Mail {
  to: string[];
  text: string;
}

/** @param failures how many deliveries it refuses temporarily before it accepts one */
export async function startSink({ failures = 0 } = {}): Promise<Sink> {
  const mails: Mail[] = [];
  const waiting = new Set<() => void>();
  let refusals = failures;
  const smtp = new SMTPServer({
    authOptional: true,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (refusals > 0) {
          refusals--;
          done(Object.assign(new Error('try again later'), { responseCode: 451 }));
          return;
        }
        mails.push({
          to: session.envelope.rcptTo.map((recipient) => recipient.address.toLowerCase()),
          text: Buffer.concat(chunks).toString(),
        });
        done();
        for (const look of waiting) look();
      });
    },
  });
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', () => resolve()));
  const address = smtp.server.address() as { port: number };
  const taken = new Set<Mail>();

  return {
    url: `smtp://127.0.0.1:${address.port}`,
    count: (to) => mails.filter((mail) => mail.to.includes(to.toLowerCase())).length,
    tokenFor: (to) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no mail for ${to}`)), PATIENCE_MS);
        const look = () => {
          const mail = mails.find((one) => one.to.includes(to.toLowerCase()) && !taken.has(one));
          if (!mail) return;
          clearTimeout(timer);
          waiting.delete(look);
          taken.add(mail);
          // Found as by a reader that knows nothing of encodings.
          const token = /\/reset-password\?token=([\w-]{43})\s/.exec(mail.text)?.[1];
          if (token) resolve(token);
          else reject(new Error(`no link in: ${mail.text}`));
        };
        waiting.add(look);
        look();
      }),
    close: () => new Promise((resolve) => smtp.close(() => resolve())),
  };
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
