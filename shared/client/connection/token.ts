/** What a client reads of an access token (JWT, RFC 7519). It trusts the server about the rest. */

export interface Claims {
  /** Whose token it is. */
  sub?: string;
  /** When it ends, in seconds since 1970. */
  exp?: number;
}

/** @returns no claims where the text is no JWT */
export function claimsOf(token: string): Claims {
  try {
    const encoded = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
    // Not by `TextDecoder`, which React Native need not have.
    const bytes = Array.from(atob(encoded), (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
    return Object(JSON.parse(decodeURIComponent(bytes.join('')))) as Claims;
  } catch {
    return {};
  }
}
