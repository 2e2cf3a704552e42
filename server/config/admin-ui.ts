import { BCRYPT_MAX_BYTES } from '../lib/bcrypt-limit.ts';
import { type Environment, readSwitch, readText, SECRET_EXAMPLE, wrongSetting } from '../lib/environment.ts';

const MIN_LENGTH = 16;

/** Socket.IO's Admin UI, where it is switched on. @throws ConfigError without a password that nobody guesses */
export function readAdminUi(env: Environment): { adminUi: { password: string } | undefined } {
  if (!readSwitch(env, 'ADMIN_UI', 'off')) return { adminUi: undefined };
  const password = readText(env, 'ADMIN_UI_PASSWORD');
  if (password === undefined) {
    throw wrongSetting('ADMIN_UI_PASSWORD', 'must be set where ADMIN_UI is on', SECRET_EXAMPLE);
  }
  if (password.length < MIN_LENGTH || Buffer.byteLength(password) > BCRYPT_MAX_BYTES) {
    const problem = `must have at least ${MIN_LENGTH} characters, and ${BCRYPT_MAX_BYTES} bytes at most`;
    throw wrongSetting('ADMIN_UI_PASSWORD', problem, SECRET_EXAMPLE);
  }
  return { adminUi: { password } };
}
