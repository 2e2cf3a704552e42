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
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    return Object(JSON.parse(new TextDecoder().decode(bytes))) as Claims;
  } catch {
    return {};
  }
}
