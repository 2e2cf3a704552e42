import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRemoteJWKSet, decodeProtectedHeader, exportJWK, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAccessTokens } from '../../server/accounts/jwt/access-tokens.ts';
import { loadSigningKey, type SigningKeyConfig } from '../../server/accounts/jwt/signing-key.ts';
import { createRefreshTokens } from '../../server/accounts/sessions/refresh-tokens.ts';
import { ConfigError } from '../../server/lib/errors.ts';
import { createLinks } from '../../server/media/read/links.ts';
import { http, register } from '../support/client.ts';
import { startServerForTest } from '../support/server.ts';

const USER = 'a'.repeat(24);
const SESSION = 'b'.repeat(24);
const SECRET = 'a secret that is long enough for each of the HMAC algorithms, the longest included';

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'letsapp-tokens-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

/** A signing key from `JWT_SECRET`, unless the settings say otherwise, and access tokens signed with it. */
async function load(over: Partial<SigningKeyConfig> = {}) {
  const key = await loadSigningKey({
    jwtSecret: SECRET,
    jwtPrivateKey: undefined,
    jwtAlsoVerify: [],
    dataDir,
    ...over,
  });
  return { key, ...createAccessTokens({ key, config: { accessTokenTtlS: 900 }, clock: () => new Date() }) };
}

describe('an access token', () => {
  it('names its user and session until it expires', async () => {
    const tokens = await load();
    const { access_token, expires_in } = await tokens.issue(USER, SESSION);
    const { userId, sessionId, expiresAt } = await tokens.verify(access_token);
    expect([userId, sessionId, expires_in]).toEqual([USER, SESSION, 900]);
    const { payload } = await jwtVerify(access_token, Buffer.from(SECRET), { issuer: 'letsapp', audience: 'letsapp' });
    expect(payload).toMatchObject({ sub: USER, sid: SESSION });
    expect(expiresAt.getTime()).toBe(payload.exp! * 1000);
    expect(payload.exp! - payload.iat!).toBe(900);
  });

  it.each(['issued', 'checked'])('is refused once it has expired, also where it was %s before', async (how) => {
    const { key } = await load();
    let now = Date.now();
    const create = () => createAccessTokens({ key, config: { accessTokenTtlS: 60 }, clock: () => new Date(now) });
    const issuer = create();
    const { access_token } = await issuer.issue(USER, SESSION);
    const tokens = how === 'issued' ? issuer : create();
    const { expiresAt } = await tokens.verify(access_token);
    now = expiresAt.getTime() - 1;
    expect(await tokens.verify(access_token)).toEqual({ userId: USER, sessionId: SESSION, expiresAt });
    now = expiresAt.getTime();
    await expect(tokens.verify(access_token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is refused unless every part of it is right', async () => {
    const tokens = await load();
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: 'letsapp', aud: 'letsapp', sub: USER, sid: SESSION, exp: now + 60 };
    const header = { alg: 'HS256', typ: 'at+jwt' };
    const good = (over: object = {}, headerOver: object = {}, secret = SECRET) =>
      new SignJWT({ ...claims, ...over }).setProtectedHeader({ ...header, ...headerOver }).sign(Buffer.from(secret));
    expect((await tokens.verify(await good())).userId).toBe(USER);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const bad = [
      'x',
      'a.b.c',
      `${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims)}.`,
      await good({}, {}, 'another secret of more than thirty-two bytes'),
      await good({}, { alg: 'HS512' }),
      await good({}, { typ: 'JWT' }),
      await good({}, { typ: undefined }),
      await good({ iss: 'other' }),
      await good({ aud: 'other' }),
      await good({ exp: now - 1 }),
      await good({ exp: undefined }),
      await good({ sub: undefined }),
      await good({ sid: undefined }),
      await good({ sid: { $gt: '' } }),
      await good({ sub: 'no id' }),
    ];
    for (const token of bad) await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is signed with a generated secret that only its owner can read, the same for all that start at once', async () => {
    const dir = path.join(dataDir, 'fresh');
    const all = await Promise.all(Array.from({ length: 8 }, () => load({ jwtSecret: undefined, dataDir: dir })));
    const { access_token } = await all[0]!.issue(USER, SESSION);
    for (const tokens of all) expect((await tokens.verify(access_token)).userId).toBe(USER);
    const file = path.join(dir, 'jwt-secret');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const later = await load({ jwtSecret: undefined, dataDir: dir });
    expect((await later.verify(access_token)).userId).toBe(USER);
    await writeFile(file, 'short');
    await expect(load({ jwtSecret: undefined, dataDir: dir })).rejects.toThrow(ConfigError);
    expect(await readFile(file, 'utf8')).toBe('short');
  });

  it('is signed with an Ed25519 key given as PEM, PEM in one line, or JWK', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const jwk = JSON.stringify(await exportJWK(privateKey));
    const [one, ...others] = await Promise.all(
      [pem, pem.replaceAll('\n', '\\n'), jwk].map((jwtPrivateKey) => load({ jwtSecret: undefined, jwtPrivateKey })),
    );
    const { access_token } = await one!.issue(USER, SESSION);
    expect(decodeProtectedHeader(access_token).alg).toBe('EdDSA');
    for (const tokens of others) {
      expect((await tokens.verify(access_token)).userId).toBe(USER);
      expect(tokens.key.publicJwks).toEqual(one!.key.publicJwks);
      expect(tokens.key.derive('a')).toEqual(one!.key.derive('a'));
    }
    expect(one!.key.derive('a')).not.toEqual(one!.key.derive('b'));
    expect(Object.keys(one!.key.publicJwks[0]!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  });

  it.each([
    ['nonsense', 'nonsense'],
    ['broken JSON', '{"kty":'],
    ['a public key', generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }).toString()],
    [
      'a key of another kind',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    ],
  ])('cannot be signed with %s: the start is refused without quoting it', async (_what, jwtPrivateKey) => {
    const refused = await load({ jwtSecret: undefined, jwtPrivateKey }).catch((error) => error);
    expect(refused).toBeInstanceOf(ConfigError);
    expect(refused.message).toContain('JWT_PRIVATE_KEY');
    expect(refused.message).not.toContain(jwtPrivateKey.slice(0, 8));
    expect(refused.message).not.toContain('\n');
  });
});

describe('the public keys', () => {
  it('verify the access tokens of a server that signs with EdDSA', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const server = await startServerForTest({ env: { JWT_PRIVATE_KEY: pem.replaceAll('\n', '\\n') } });
    const account = await register(server.url);
    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', server.url));
    const { payload } = await jwtVerify(account.access_token, keys, { issuer: 'letsapp', audience: 'letsapp' });
    expect(payload).toMatchObject({ sub: account.id, sid: account.session_id });
    const refreshed = await http(server.url, 'POST', '/auth/refresh', {
      body: { refresh_token: account.refresh_token },
    });
    expect(refreshed.status).toBe(200);
    // The public key must not work as an HMAC secret (RFC 8725, section 2.1).
    const { x } = (await http(server.url, 'GET', '/.well-known/jwks.json')).json.keys[0];
    const forged = await new SignJWT({ sid: account.session_id })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .setIssuer('letsapp')
      .setAudience('letsapp')
      .setSubject(account.id)
      .setExpirationTime('1h')
      .sign(Buffer.from(x, 'base64url'));
    expect((await http(server.url, 'GET', '/users/me', { token: forged })).status).toBe(401);
  });
});

describe('a key that only verifies', () => {
  const OTHER = 'the secret of the time before, of more than thirty-two bytes';
  const ed25519 = generateKeyPairSync('ed25519');
  const pem = ed25519.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const publicPem = ed25519.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const publicJwk = JSON.stringify(ed25519.publicKey.export({ format: 'jwk' }));
  const refused = { code: 'unauthenticated' };

  it('of a secret has its tokens taken, until it is taken away', async () => {
    const { access_token } = await (await load({ jwtSecret: OTHER })).issue(USER, SESSION);
    const rotated = await load({ jwtAlsoVerify: [OTHER] });
    expect((await rotated.verify(access_token)).userId).toBe(USER);
    await expect((await load()).verify(access_token)).rejects.toMatchObject(refused);
    // New ones are signed by the key of today, and a server that signs with the one before takes them if it was told.
    const { access_token: fresh } = await rotated.issue(USER, SESSION);
    expect((await (await load()).verify(fresh)).userId).toBe(USER);
    await expect((await load({ jwtSecret: OTHER })).verify(fresh)).rejects.toMatchObject(refused);
    expect((await (await load({ jwtSecret: OTHER, jwtAlsoVerify: [SECRET] })).verify(fresh)).userId).toBe(USER);
  });

  it.each([
    ['a private key', pem],
    ['a private key in one line', pem.replaceAll('\n', '\\n')],
    ['a public key', publicPem],
    ['a public JWK', publicJwk],
  ])('may be %s, also where a secret signs now, and is published', async (_what, key) => {
    const signed = await load({ jwtSecret: undefined, jwtPrivateKey: pem });
    const { access_token } = await signed.issue(USER, SESSION);
    const rotated = await load({ jwtAlsoVerify: [OTHER, key] });
    expect((await rotated.verify(access_token)).userId).toBe(USER);
    expect(rotated.key.publicJwks).toEqual(signed.key.publicJwks);
    expect(rotated.key.alg).toBe('HS256');
  });

  it('that is public is never the secret of a token, whatever form of it is taken', async () => {
    const { x } = ed25519.publicKey.export({ format: 'jwk' });
    const der = ed25519.publicKey.export({ format: 'der', type: 'spki' });
    for (const key of [publicPem, publicJwk, pem]) {
      const tokens = await load({ jwtAlsoVerify: [key] });
      for (const secret of [publicPem, publicPem.trim(), publicJwk, x!, Buffer.from(x!, 'base64url'), der]) {
        const forged = await new SignJWT({ iss: 'letsapp', aud: 'letsapp', sub: USER, sid: SESSION })
          .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: String(tokens.key.publicJwks[0]!.kid) })
          .setExpirationTime('1h')
          .sign(Buffer.from(secret));
        await expect(tokens.verify(forged)).rejects.toMatchObject(refused);
      }
    }
  });

  it('is tried only for tokens that name it, where they name one', async () => {
    const another = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const tokens = await load({ jwtSecret: undefined, jwtPrivateKey: another, jwtAlsoVerify: [pem] });
    const [own, other] = tokens.key.publicJwks.map(({ kid }) => String(kid));
    const sign = (kid: string) =>
      new SignJWT({ iss: 'letsapp', aud: 'letsapp', sub: USER, sid: SESSION })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
        .setExpirationTime('1h')
        .sign(ed25519.privateKey);
    expect((await tokens.verify(await sign(other!))).userId).toBe(USER);
    await expect(tokens.verify(await sign(own!))).rejects.toMatchObject(refused);
  });

  it('has what was derived from it read still, unless it is public', async () => {
    const before = await load({ jwtSecret: undefined, jwtPrivateKey: pem });
    const [rotated, without] = [await load({ jwtAlsoVerify: [pem] }), await load()];
    expect(rotated.key.derive('a')).toEqual([without.key.derive('a')[0], before.key.derive('a')[0]]);
    expect((await load({ jwtAlsoVerify: [publicPem] })).key.derive('a')).toHaveLength(1);
    const token = createRefreshTokens(before.key.derive('refresh token')).make(SESSION);
    const read = (key: typeof rotated.key) => createRefreshTokens(key.derive('refresh token')).read(token)?.isAuthentic;
    expect([read(rotated.key), read(without.key)]).toEqual([true, false]);
    const linksOf = (key: typeof rotated.key) => createLinks(key.derive('media links'), () => new Date());
    const { token: link } = await linksOf(before.key).issue(USER, 'upload');
    expect((await linksOf(rotated.key).verify(link, 'upload')).makerId).toBe(USER);
    await expect(linksOf(without.key).verify(link, 'upload')).rejects.toMatchObject(refused);
  });

  it.each([
    ['another kind', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey],
  ])('of %s ends the start without being quoted', async (_what, key) => {
    const written = [
      key.export({ format: 'pem', type: 'spki' }).toString(),
      JSON.stringify(key.export({ format: 'jwk' })),
    ];
    for (const text of written) {
      const refusal = await load({ jwtAlsoVerify: [text] }).catch((error) => error);
      expect(refusal).toBeInstanceOf(ConfigError);
      expect(refusal.message).toMatch(/^JWT_ALSO_VERIFY .*$/);
      expect(refusal.message).not.toContain(text.slice(30, 50));
    }
  });
});

describe('refresh tokens', () => {
  it('are authentic only unaltered, and by the key that made them', () => {
    const tokens = createRefreshTokens([randomBytes(32)]);
    const token = tokens.make(SESSION);
    expect(tokens.read(token)).toEqual({ sessionId: SESSION, isAuthentic: true });
    expect(tokens.read(tokens.make(SESSION))).toEqual({ sessionId: SESSION, isAuthentic: true });
    expect(createRefreshTokens([randomBytes(32)]).read(token)?.isAuthentic).toBe(false);
    for (let at = 0; at < token.length; at++) {
      for (const letter of ['A', 'b', '0', '_']) {
        if (token[at] === letter) continue;
        const altered = token.slice(0, at) + letter + token.slice(at + 1);
        expect(tokens.read(altered)?.isAuthentic ?? false).toBe(false);
      }
    }
  });
});
