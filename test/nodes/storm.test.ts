import { expect, it } from 'vitest';
import { storm } from './storm.ts';

it('a thousand devices that come back at once after a restart all do, refused by nothing, and messages go on', async () => {
  const report = await storm(1000);
  expect(report).toMatchObject({ back: 1000, refusals: [], undelivered: 0 });
  expect(report.acknowledged).toBeGreaterThan(0);
}, 240_000);
