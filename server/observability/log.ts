/** Structured logs: JSON lines in production, readable lines elsewhere. Never secrets, never the text of messages. */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

/** Properties that are redacted wherever they turn up. */
const SECRETS = ['password', 'new_password', 'current_password', 'token', 'access_token', 'refresh_token', 'content'];

/**
 * What is logged of an error. Its other properties are left out: when a store refuses documents, they hold the documents
 * with their texts. The values in a duplicate-key message are left out for the same reason.
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
 * @param level one of pino's level names
 * @param production whether to write JSON lines
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
