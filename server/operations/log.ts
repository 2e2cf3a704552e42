/** Structured logs: JSON lines in production, readable ones elsewhere. No secrets, no texts of messages. */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

/** Never in a log, wherever they turn up. */
const SECRETS = ['password', 'new_password', 'current_password', 'token', 'access_token', 'refresh_token', 'content'];

/**
 * @param level pino's level names
 * @param production JSON lines instead of readable ones
 */
export function createLog(level: string, production: boolean): Logger {
  const options = {
    level,
    redact: {
      paths: ['req.headers.authorization', 'req.headers.cookie', ...SECRETS, ...SECRETS.map((name) => `*.${name}`)],
      censor: '[redacted]',
    },
  };
  return production ? pino(options) : pino(options, pretty({ sync: true, colorize: false }));
}
