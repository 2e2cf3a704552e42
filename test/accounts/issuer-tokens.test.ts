/** Which tokens of another issuer are good, and which keys they are checked by. */
import { createHmac } from 'node:crypto';
import { SignJWT } from 'jose';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createKeySet, type KeySetOptions } from '../../server/accounts/issuer/key-set.ts';
import { createIssuerTokens } from '../../server/accounts/issuer/tokens.ts';
import { eventually } from '../support/eventually.ts';
import { AUDIENCE, ISSUER, type IssuerKey, makeKey, seconds, startIssuer, type TestIssuer } from './issuer.ts';

const log = pino({ enabled: false });
let issuer: TestIssuer;
let ownKeys: TestIssuer['keys'];
beforeAll(async () => {
  issuer = await startIssuer();
  ownKeys = issuer.keys;
});
afterAll(() => issuer.close());
beforeEach(() => {
  issuer.keys = ownKeys;
  issuer.answer = undefined;
});

/** What a server has that takes tokens of the issuer; none of it read a set yet. */
function freshTokens(times: KeySetOptions['times'] = {}, url = issuer.url) {
  const keySet = createKeySet({ url, log, times });
  onTestFinished(keySet.close);
  const config = { issuer: ISSUER, audience: AUDIENCE };
  return createIssuerTokens({ config, keySet, clock: () => new Date(), log });
}

/** How a server behind the address of the set can fail, and not say that it does. */
const BAD_ANSWERS: Record<string, NonNullable<TestIssuer['answer']>> = {
  'an error': (response) => response.writeHead(500).end('{"keys":[]}'),
  'a redirection': (response) => {
    if (response.req.url?.endsWith('elsewhere')) response.end(JSON.stringify({ keys: ownKeys }));
    else response.writeHead(302, { location: `${issuer.url}?elsewhere` }).end();
  },
  'a page': (response) => response.end('<html>Sign in</html>'),
  'JSON that is no set': (response) => response.end('[]'),
  'a set of nothing': (response) => response.end('{"keys":[null]}'),
  'a huge answer': (response) => response.end(`{"keys":[${' '.repeat(2 ** 21)}]}`),
  'no answer': () => {},
  'an answer that does not end': (response) => response.write('{"keys":['),
  'a broken connection': (response) => response.destroy(),
};

/** Claims with times of now, not of when the tests were read. */
const now = (claims: object | (() => object)) => ({ ...(typeof claims === 'function' ? claims() : claims) });

const isTaken = async (token: string, tokens = freshTokens()): Promise<boolean | string> =>
  tokens.verify(token).then(
    () => true,
    (error) => error.code,
  );

describe('a token of the issuer', () => {
  it('says who and which session it stands for, and until when', async () => {
    const now = seconds();
    const claims = { sub: 'crm|42', sid: 's1', iat: now - 5, exp: now + 60, name: 'Ann' };
    const read = await freshTokens().verify(await issuer.token(claims));
    expect(read).toMatchObject({ sub: 'crm|42', sid: 's1', issuedAt: (now - 5) * 1000, claims });
    expect(read.expiresAt).toEqual(new Date((now + 60) * 1000));
    const bare = await freshTokens().verify(await issuer.token({ sid: null, iat: undefined }));
    expect(bare).toMatchObject({ sid: undefined, issuedAt: undefined });
  });

  it.each(['RS256', 'ES256', 'EdDSA'])('is taken when it is signed by %s, with `kid` or without', async (alg) => {
    const key = await makeKey(alg);
    issuer.keys = [...ownKeys, key.jwk, (await makeKey(alg)).jwk];
    expect(await isTaken(await issuer.token({}, { key }))).toBe(true);
    expect(await isTaken(await issuer.token({}, { key: { ...key, kid: undefined } }))).toBe(true);
  });

  it.each<[string, object | (() => object)]>([
    ['for several audiences', { aud: ['other', AUDIENCE] }],
    ['expired for less than 30 s', () => ({ exp: seconds() - 20 })],
    ['valid in less than 30 s', () => ({ nbf: seconds() + 20 })],
    ['with the longest id of a user', { sub: '😀'.repeat(128) }],
    ['that never ends', { exp: 1e300 }],
  ])('%s is taken', async (_what, claims) => {
    expect(await isTaken(await issuer.token(now(claims)))).toBe(true);
  });

  it.each<[string, object | (() => object)]>([
    ['of another issuer', { iss: 'https://login.example.test' }],
    ['for another audience', { aud: 'other' }],
    ['for others only', { aud: ['other', `${AUDIENCE}2`] }],
    ['for no audience', { aud: undefined }],
    ['expired for more than 30 s', () => ({ exp: seconds() - 31 })],
    ['without an end', { exp: undefined }],
    ['with a text as its end', { exp: '2100-01-01' }],
    ['valid in more than 30 s', () => ({ nbf: seconds() + 60 })],
    ['without a user', { sub: undefined }],
    ['with an empty user', { sub: '' }],
    ['with a number for its user', { sub: 42 }],
    ['with an operator for its user', { sub: { $gt: '' } }],
    ['with an id of 129 code points', { sub: 'x'.repeat(129) }],
    ['with a control character in its id', { sub: 'a\u0000b' }],
    ['with a line break in its id', { sub: 'a\nb' }],
    ['with half a character in its id', { sub: 'a\ud800' }],
    ['with an object for its session', { sid: { $gt: '' } }],
    ['with a text for its time of issue', { iat: 'now' }],
  ])('%s is refused', async (_what, claims) => {
    expect(await isTaken(await issuer.token(now(claims)))).toBe('unauthenticated');
  });

  it.each(['HS256', 'RS384', 'PS256', 'ES384', 'Ed25519'])(
    'signed by %s is refused, also by a key of the set',
    async (alg) => {
      const secret = Buffer.from('a secret that is long enough for HMAC by SHA-256');
      if (alg === 'HS256') {
        issuer.keys = [{ kty: 'oct', k: secret.toString('base64url'), kid: 'hmac', alg, use: 'sig' }];
        const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'somebody', exp: seconds() + 60 };
        const token = await new SignJWT(claims).setProtectedHeader({ alg, kid: 'hmac' }).sign(secret);
        expect(await isTaken(token)).toBe('unauthenticated');
        return;
      }
      const key = await makeKey(alg);
      issuer.keys = [key.jwk];
      expect(await isTaken(await issuer.token({}, { key }))).toBe('unauthenticated');
    },
  );

  it('is refused when its algorithm is not that of its key, is none, or takes a public key for a secret', async () => {
    const rsa = await makeKey('RS256');
    issuer.keys = [...ownKeys, rsa.jwk];
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = part({ iss: ISSUER, aud: AUDIENCE, sub: 'somebody', exp: seconds() + 60 });
    const [, , signature] = (await issuer.token()).split('.');
    const hmac = (header: object, secret: string) => {
      const signed = `${part(header)}.${claims}`;
      return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    };
    const forged = [
      `${part({ alg: 'none' })}.${claims}.`,
      `${part({ alg: 'none', kid: rsa.kid })}.${claims}.`,
      `${part({ alg: 'None' })}.${claims}.${signature}`,
      `${part({ alg: 'EdDSA', kid: issuer.key.kid })}.${claims}.${signature}`,
      `${part({ alg: 'RS256', kid: issuer.key.kid })}.${claims}.${signature}`,
      `${part({ kid: issuer.key.kid })}.${claims}.${signature}`,
      hmac({ alg: 'HS256', kid: rsa.kid }, JSON.stringify(rsa.jwk)),
      hmac({ alg: 'HS256', kid: rsa.kid }, rsa.jwk.n!),
      hmac({ alg: 'RS256', kid: rsa.kid }, rsa.jwk.n!),
    ];
    const tokens = freshTokens();
    for (const token of forged) expect(await isTaken(token, tokens)).toBe('unauthenticated');
  });

  it('is refused when it brings a key, or an address of keys, of its own', async () => {
    const other = await startIssuer();
    onTestFinished(other.close);
    const key = { ...other.key, kid: issuer.key.kid };
    for (const header of [{ jwk: other.key.jwk }, { jku: other.url }, { jwk: other.key.jwk, kid: undefined }])
      expect(await isTaken(await issuer.token({}, { key, header }))).toBe('unauthenticated');
    expect(other.asked()).toBe(0);
  });

  it.each<[string, object]>([
    ['an extension that nobody knows', { crit: ['urn:example:must'], 'urn:example:must': true }],
    ['a claim among the extensions', { crit: ['exp'], exp: 1 }],
    ['no list of extensions', { crit: 'exp' }],
    ['a payload as it is', { crit: ['b64'], b64: false }],
  ])('is refused when its header has %s', async (_what, header) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const payload = part({ iss: ISSUER, aud: AUDIENCE, sub: 'somebody', exp: seconds() + 60 });
    const sign = async (over: object) => {
      const signed = `${part({ alg: 'EdDSA', kid: issuer.key.kid, ...over })}.${payload}`;
      const signature = await crypto.subtle.sign('Ed25519', issuer.key.privateKey, Buffer.from(signed));
      return `${signed}.${Buffer.from(signature).toString('base64url')}`;
    };
    expect(await isTaken(await sign({}))).toBe(true);
    expect(await isTaken(await sign(header))).toBe('unauthenticated');
  });

  it('is told from others by what it says, unless it is far too long', async () => {
    const tokens = freshTokens();
    expect(tokens.claimsToBe(await issuer.token())).toBe(true);
    expect(tokens.claimsToBe(await issuer.token({}, { key: await makeKey() }))).toBe(true);
    for (const other of [
      'x',
      'a.b.c',
      await issuer.token({ iss: 'letsapp' }),
      await issuer.token({ pad: 'x'.repeat(100_000) }),
    ])
      expect(tokens.claimsToBe(other)).toBe(false);
  });
});

describe('a key of the set', () => {
  const use = async (key: IssuerKey, tokens = freshTokens()) => isTaken(await issuer.token({}, { key }), tokens);

  it.each<[string, Record<string, unknown>]>([
    ['for encryption', { use: 'enc' }],
    ['for another algorithm', { alg: 'ES384' }],
    ['for signing alone', { key_ops: ['sign'] }],
    ['of another kind', { kty: 'OKP' }],
    ['of another curve', { crv: 'P-384' }],
    ['that is broken', { x: 'AA' }],
  ])('%s is not used', async (_what, over) => {
    const key = await makeKey('ES256', over);
    issuer.keys = [key.jwk];
    expect(await use(key)).toBe('unauthenticated');
    expect(await use({ ...key, kid: undefined })).toBe('unauthenticated');
    // Beside it, another one is.
    issuer.keys = [key.jwk, ...ownKeys];
    expect(await isTaken(await issuer.token())).toBe(true);
  });

  it('may say nothing of its use, algorithm and name', async () => {
    const key = await makeKey('ES256', { use: undefined, alg: undefined, kid: undefined });
    issuer.keys = [...ownKeys, key.jwk];
    expect(await use(key)).toBe(true);
  });

  it('may have the name of another one', async () => {
    const key = await makeKey('ES256', { kid: 'same' });
    issuer.keys = [
      (await makeKey('ES256', { kid: 'same' })).jwk,
      key.jwk,
      (await makeKey('RS256', { kid: 'same' })).jwk,
    ];
    expect(await use(key)).toBe(true);
  });
});

describe('the set', () => {
  it('is asked for once, however many tokens come', async () => {
    const before = issuer.asked();
    const tokens = freshTokens();
    const token = await issuer.token();
    await Promise.all(Array.from({ length: 20 }, () => tokens.verify(token)));
    await tokens.verify(token);
    expect(issuer.asked()).toBe(before + 1);
  });

  it('is asked for again for a key that it lacks, at most once in a while', async () => {
    const tokens = freshTokens({ unknownKeyMs: 3000 });
    expect(await isTaken(await issuer.token(), tokens)).toBe(true);
    const before = issuer.asked();
    const next = await makeKey();
    issuer.keys = [next.jwk];
    const token = await issuer.token({}, { key: next });
    // All that come while it is being asked for wait for the answer.
    const taken = await Promise.all(Array.from({ length: 10 }, () => isTaken(token, tokens)));
    expect(taken).toEqual(Array(10).fill(true));
    expect(issuer.asked()).toBe(before + 1);
    expect(await isTaken(await issuer.token(), tokens)).toBe('unauthenticated');
    expect(issuer.asked()).toBe(before + 1);
    const last = await makeKey('ES256', { kid: undefined });
    issuer.keys = [last.jwk];
    await eventually(async () => expect(await isTaken(await issuer.token({}, { key: last }), tokens)).toBe(true));
    expect(issuer.asked()).toBe(before + 2);
  });

  it('goes on being used while it cannot be reached', async () => {
    const tokens = freshTokens({ unknownKeyMs: 0, renewalMs: 20, patienceMs: 2000 });
    const token = await issuer.token();
    expect(await isTaken(token, tokens)).toBe(true);
    const stranger = await issuer.token({}, { key: await makeKey() });
    for (const answer of Object.values(BAD_ANSWERS)) {
      issuer.answer = answer;
      const before = issuer.asked();
      expect(await isTaken(stranger, tokens)).toBe('unauthenticated');
      await eventually(() => expect(issuer.asked()).toBeGreaterThan(before));
      expect(await isTaken(token, tokens)).toBe(true);
    }
  });

  it('is read anew now and then, so that a key that was taken out is not trusted for ever', async () => {
    const tokens = freshTokens({ renewalMs: 20 });
    const token = await issuer.token();
    expect(await isTaken(token, tokens)).toBe(true);
    issuer.keys = [(await makeKey()).jwk];
    await eventually(async () => expect(await isTaken(token, tokens)).toBe('unauthenticated'));
  });

  it.each(Object.entries(BAD_ANSWERS))('that was never read makes tokens unavailable: %s', async (_what, answer) => {
    issuer.answer = answer;
    const tokens = freshTokens({ patienceMs: 3000 });
    expect(await isTaken(await issuer.token(), tokens)).toBe('unavailable');
    issuer.answer = undefined;
    expect(await isTaken(await issuer.token(), tokens)).toBe(true);
  });

  it('that nobody serves makes tokens unavailable, until somebody does', async () => {
    const gone = await startIssuer();
    await gone.close();
    const tokens = freshTokens({}, gone.url);
    expect(await isTaken(await gone.token(), tokens)).toBe('unavailable');
    const back = await startIssuer(Number(new URL(gone.url).port));
    onTestFinished(back.close);
    expect(await isTaken(await back.token(), tokens)).toBe(true);
  });
});
