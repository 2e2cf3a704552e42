import { expect, it } from 'vitest';
import { storm } from './storm.ts';

it('500 devices that come back at once after a restart all do, refused by nothing, and messages go on', async () => {
  const report = await storm(500);
  expect(report).toMatchObject({ back: 500, refusals: [], undelivered: 0 });
  expect(report.acknowledged).toBeGreaterThan(0);
}, 240_000);
