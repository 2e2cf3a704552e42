/** An issuer of tokens, as an operator's own back end is one: it signs JWTs and serves its JWK set. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export const ISSUER = 'https://login.example.test/';
export const AUDIENCE = 'chat';

export interface IssuerKey {
  alg: string;
  kid: string | undefined;
  privateKey: CryptoKey;
  jwk: JWK;
}

let serial = 0;

/** A key pair; its public half has what a JWK of a set usually has, and what is given. */
export async function makeKey(alg = 'EdDSA', over: Record<string, unknown> = {}): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const usual = { ...(await exportJWK(publicKey)), kid: `key-${++serial}`, alg, use: 'sig' };
  const jwk: JWK = JSON.parse(JSON.stringify({ ...usual, ...over }));
  return { alg, kid: jwk.kid, privateKey, jwk };
}

export const seconds = () => Math.floor(Date.now() / 1000);

export interface Signing {
  key?: IssuerKey;
  header?: object;
}

export interface TestIssuer {
  url: string;
  /** The settings of a server that takes its tokens. */
  env: Record<string, string>;
  key: IssuerKey;
  /** The set; what is changed is served from then on. */
  keys: JWK[];
  /** How often the set was asked for. */
  asked(): number;
  /** Answers the next requests in its own way; undefined: with the set again. */
  answer: ((response: ServerResponse) => void) | undefined;
  /** A good token, but for what is given. */
  token(claims?: Record<string, unknown>, signing?: Signing): Promise<string>;
  close(): Promise<void>;
}

export async function startIssuer(port = 0): Promise<TestIssuer> {
  const key = await makeKey();
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    if (issuer.answer) issuer.answer(response);
    else response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: issuer.keys }));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  const issuer: TestIssuer = {
    url,
    env: { AUTH_JWKS_URL: url, AUTH_ISSUER: ISSUER, AUTH_AUDIENCE: AUDIENCE },
    key,
    keys: [key.jwk],
    asked: () => asked,
    answer: undefined,
    async token(claims = {}, { key: by = key, header = {} } = {}) {
      const now = seconds();
      return new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'somebody', iat: now, exp: now + 300, ...claims })
        .setProtectedHeader({ alg: by.alg, ...(by.kid === undefined ? {} : { kid: by.kid }), ...header })
        .sign(by.privateKey);
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return issuer;
}
