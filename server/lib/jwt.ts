import { type CryptoKey, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify, type KeyObject } from 'jose';

/**
 * Verifies a JWT with whichever of the keys made it.
 * @param keys all for the one algorithm of the options
 * @throws what `jwtVerify` throws with the last of them
 */
export async function verifyByAny(
  token: string,
  keys: readonly (CryptoKey | KeyObject | Uint8Array)[],
  options: JWTVerifyOptions & { algorithms: [string] },
): Promise<JWTVerifyResult> {
  let failure: unknown = new Error('there is no key to verify it by');
  for (const key of keys) {
    try {
      return await jwtVerify(token, key, options);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
