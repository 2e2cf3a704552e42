/** bcrypt ignores the bytes beyond these, so that a longer password would match one that only begins alike. */
export const BCRYPT_MAX_BYTES = 72;
