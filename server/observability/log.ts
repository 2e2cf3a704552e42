/** Structured logs: JSON lines in production, readable ones elsewhere. No secrets, no texts of messages. */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

/** Never in a log, wherever they turn up. */
const SECRETS = ['password', 'new_password', 'current_password', 'token', 'access_token', 'refresh_token', 'content'];

/**
 * What a log tells of an error: never its other properties, since those of a store's refusals hold the documents that
 * were refused, texts and all. The values that a duplicate-key message names are left out for the same reason.
 */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  const discreet = (text: string) => text.replaceAll(/dup key: \{.*\}/g, 'dup key');
  return {
    type: name,
    message: discreet(message),
    ...(code === undefined ? {} : { code }),
    ...(stack === undefined ? {} : { stack: discreet(stack) }),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}

/**
 * @param level pino's level names
 * @param production JSON lines instead of readable ones
 */
export function createLog(level: string, production: boolean): Logger {
  const options = {
    level,
    serializers: { err: describeError },
    redact: {
      paths: ['req.headers.authorization', 'req.headers.cookie', ...SECRETS, ...SECRETS.map((name) => `*.${name}`)],
      censor: '[redacted]',
    },
  };
  return production ? pino(options) : pino(options, pretty({ sync: true, colorize: false }));
}
