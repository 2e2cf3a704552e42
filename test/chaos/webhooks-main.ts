/** `npm run webhook-chaos [rounds] [messages a second]`: exits with 1 when anything was missed, doubled or out of order. */
import { runWebhookChaos } from './webhooks.ts';

const [rounds = '12', rate = '200'] = process.argv.slice(2);
const verdict = await runWebhookChaos({
  rounds: Number(rounds),
  rate: Number(rate),
  awayMs: 5000,
  settleMs: 120_000,
  log: (line) => console.log(line),
});
const { missing, outOfOrder, doubled, ...counts } = verdict;
console.log({ ...counts, missing: missing.length, outOfOrder: outOfOrder.length, doubled: doubled.length });
process.exit(missing.length + outOfOrder.length + doubled.length === 0 ? 0 : 1);
