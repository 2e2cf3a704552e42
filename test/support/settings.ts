export interface StartOptions {
  env?: Record<string, string>;
}

/** What servers of tests are started with, unless a test says otherwise. */
export function usualSettings(dataDir: string): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: dataDir,
    RATE_LIMITS: 'off',
    BCRYPT_COST: '4',
    LOG_LEVEL: 'warn',
    PRESENCE_GRACE_MS: '300',
  };
}
