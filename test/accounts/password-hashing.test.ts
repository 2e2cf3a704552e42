import { afterAll, describe, expect, it } from 'vitest';
import { createPasswords } from '../../server/accounts/passwords.ts';
import { ContractError } from '../../server/lib/errors.ts';

describe('passwords', () => {
  const passwords = createPasswords({ cost: 4 });
  afterAll(() => passwords.close());

  it('are known again by their hash, which has the configured cost', async () => {
    const hash = await passwords.hash('Correct-horse-9');
    expect(hash).toMatch(/^\$2b\$04\$.{53}$/);
    expect(await passwords.verify('Correct-horse-9', hash)).toBe(true);
    expect(await passwords.verify('Correct-horse-8', hash)).toBe(false);
    expect(await passwords.hash('Correct-horse-9')).not.toBe(hash);
  });

  it('match nothing where there is no hash', async () => {
    expect(await passwords.verify('Correct-horse-9', undefined)).toBe(false);
    expect(await passwords.verify('', undefined)).toBe(false);
  });

  it('of more than 72 bytes match nothing, though bcrypt sees no more than 72', async () => {
    const longest = 'x'.repeat(72);
    const hash = await passwords.hash(longest);
    expect(await passwords.verify(longest, hash)).toBe(true);
    expect(await passwords.verify(`${longest}y`, hash)).toBe(false);
  });
});

describe('hashing', () => {
  it('leaves the event loop free', async () => {
    const passwords = createPasswords({ cost: 12 });
    let done = false;
    const hashing = passwords.hash('Correct-horse-9').finally(() => {
      done = true;
    });
    let turns = 0;
    while (!done) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      turns++;
    }
    await hashing;
    // On the event loop itself it would have been done within the first few turns.
    expect(turns).toBeGreaterThan(20);
    await passwords.close();
  });

  it('refuses at once what would wait too long, and goes on with what it took', async () => {
    const passwords = createPasswords({ cost: 12 });
    const waiting = Array.from({ length: 2000 }, () => passwords.hash('Correct-horse-9'));
    const settled = Promise.allSettled(waiting);
    const refused = await Promise.race(waiting.map((one) => one.then(() => undefined).catch((error) => error)));
    expect(refused).toBeInstanceOf(ContractError);
    expect(refused.code).toBe('rate_limited');
    expect(refused.details.retry_after_ms).toBeGreaterThan(0);
    expect(await waiting[0]).toMatch(/^\$2b\$12\$/);
    await passwords.close();
    const outcomes = await settled;
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
  });
});
