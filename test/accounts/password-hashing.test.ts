import { hashSync } from 'bcryptjs';
import { afterAll, describe, expect, it } from 'vitest';
import { createPasswordHashing } from '../../server/accounts/passwords/hashing.ts';
import { ContractError } from '../../server/lib/errors.ts';

describe('a password', () => {
  const hashing = createPasswordHashing({ cost: 4 });
  afterAll(() => hashing.close());

  it('matches its hash, which has the configured cost, and no other', async () => {
    const hash = await hashing.hash('Correct-horse-9');
    expect(hash).toMatch(/^\$2b\$04\$.{53}$/);
    expect(await hashing.verify('Correct-horse-9', hash)).toBe(true);
    expect(await hashing.verify('Correct-horse-8', hash)).toBe(false);
    expect(await hashing.hash('Correct-horse-9')).not.toBe(hash);
  });

  it('matches its hash however its letters are composed', async () => {
    const [composed, decomposed] = ['Crème-brûlée'.normalize('NFC'), 'Crème-brûlée'.normalize('NFD')];
    for (const [set, given] of [
      [composed, decomposed],
      [decomposed, composed],
      [decomposed, decomposed],
    ] as const) {
      expect(await hashing.compare(given, await hashing.hash(set))).toEqual({ matches: true, isOutdated: false });
    }
    expect(await hashing.verify('Creme-brulee', await hashing.hash(composed))).toBe(false);
  });

  it('matches a hash of an earlier version, of the password as it was given, and says that it is outdated', async () => {
    const decomposed = 'Crème-brûlée'.normalize('NFD');
    const asGiven = hashSync(decomposed, 4);
    expect(await hashing.compare(decomposed, asGiven)).toEqual({ matches: true, isOutdated: true });
    const cheap = createPasswordHashing({ cost: 5 });
    expect(await cheap.compare('Correct-horse-9', hashSync('Correct-horse-9', 4))).toEqual({
      matches: true,
      isOutdated: true,
    });
    expect(await cheap.compare('Correct-horse-8', hashSync('Correct-horse-9', 4))).toEqual({
      matches: false,
      isOutdated: false,
    });
    expect(await hashing.compare('Correct-horse-9', hashSync('Correct-horse-9', 5))).toMatchObject({
      isOutdated: false,
    });
    await cheap.close();
  });

  it('matches nothing where there is no hash', async () => {
    expect(await hashing.verify('Correct-horse-9', undefined)).toBe(false);
    expect(await hashing.verify('', undefined)).toBe(false);
  });

  it('of more than 72 bytes matches nothing, although bcrypt sees only 72', async () => {
    const longest = 'x'.repeat(72);
    const hash = await hashing.hash(longest);
    expect(await hashing.verify(longest, hash)).toBe(true);
    expect(await hashing.verify(`${longest}y`, hash)).toBe(false);
  });
});

describe('hashing', () => {
  it('leaves the event loop free', async () => {
    const hashing = createPasswordHashing({ cost: 12 });
    let isDone = false;
    const hashed = hashing.hash('Correct-horse-9').finally(() => {
      isDone = true;
    });
    let turns = 0;
    while (!isDone) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      turns++;
    }
    await hashed;
    // On the event loop itself, hashing would end within the first few turns.
    expect(turns).toBeGreaterThan(20);
    await hashing.close();
  });

  it('refuses at once what would wait too long, and finishes what it has accepted', async () => {
    const hashing = createPasswordHashing({ cost: 12 });
    const waiting = Array.from({ length: 2000 }, () => hashing.hash('Correct-horse-9'));
    const settled = Promise.allSettled(waiting);
    const refused = await Promise.race(waiting.map((one) => one.then(() => undefined).catch((error) => error)));
    expect(refused).toBeInstanceOf(ContractError);
    expect(refused.code).toBe('rate_limited');
    expect(refused.details.retry_after_ms).toBeGreaterThan(0);
    expect(await waiting[0]).toMatch(/^\$2b\$12\$/);
    await hashing.close();
    const outcomes = await settled;
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
  });
});
