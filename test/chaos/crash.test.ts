import { expect, it } from 'vitest';
import { crash } from './crash.ts';

it('loses, doubles and reorders nothing that was acknowledged when it is killed while 64 devices write', async () => {
  const report = await crash(2);
  expect(report).toMatchObject({ lost: [], doubled: [], gaps: [] });
  expect(report.stored).toBe(report.acknowledged);
  expect(report.acknowledged).toBeGreaterThan(100);
}, 300_000);
