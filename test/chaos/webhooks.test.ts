import { expect, it } from 'vitest';
import { runWebhookChaos } from './webhooks.ts';

it('a webhook is told every message in order, whichever of servers and receiver dies', async () => {
  const verdict = await runWebhookChaos({ rate: 30, rounds: 3, awayMs: 1500, settleMs: 180_000, log: () => {} });
  expect(verdict).toMatchObject({ missing: [], outOfOrder: [], doubled: [] });
  expect(verdict.stored).toBeGreaterThanOrEqual(verdict.acknowledged);
  expect(verdict.acknowledged).toBeGreaterThan(30);
}, 400_000);
