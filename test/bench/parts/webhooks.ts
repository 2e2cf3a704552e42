/** What a webhook costs those who send, whose receiver takes everything and never answers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http } from '../../support/client.ts';
import { inTurns } from '../bench.ts';
import { compared, percentile } from '../measurement.ts';
import { latencies } from '../open-loop.ts';
import type { Part } from '../part.ts';

const API_KEY = 'the-key-of-the-benchmark-long-enough';
const USERS = 64;
const PER_SECOND = 200;
const SECONDS = 4;

export const webhooks: Part = {
  about: `${PER_SECOND} messages a second, without a webhook and with one whose receiver hangs`,
  isAlone: true,
  rows: {
    p50: {
      what: 'acknowledgement p50 beside a receiver that hangs',
      unit: 'ms',
      against: 'without a webhook',
      target: { of: 'ratio', atMost: 1.25 },
    },
    p99: { what: 'acknowledgement p99 beside it', unit: 'ms', against: 'without a webhook' },
  },
  async run(bench) {
    const hanging = createServer(() => {});
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/`;
    const app = await bench.ownApp();
    await app.populate(USERS);
    await app.restart({ API_KEY, WEBHOOK_ALLOW_PRIVATE: 'on' });
    const ask = async (method: string, body?: object) => {
      const { status } = await http(app.url, method, '/server/webhooks/hanging', {
        token: API_KEY,
        ...(body ? { body } : {}),
      });
      if (status > 204) throw new Error(`the webhook was answered ${status}`);
    };
    const rounds = await inTurns(
      () => latencies(app, PER_SECOND, SECONDS),
      async () => {
        await ask('PUT', { url });
        const measured = await latencies(app, PER_SECOND, SECONDS);
        await ask('DELETE');
        return measured;
      },
    );
    hanging.closeAllConnections();
    hanging.close();
    const at = (share: number) =>
      compared(
        rounds.map(([without, beside]) => ({
          against: percentile(without, share),
          measured: percentile(beside, share),
        })),
      );
    return { measurements: { p50: at(0.5), p99: at(0.99) } };
  },
};
