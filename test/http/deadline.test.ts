/** The time that routes have while the store is away. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createHttpServer } from '../../server/http/server.ts';
import { COMMAND_DEADLINE_MS } from '../../server/lib/deadline.ts';
import { unavailable } from '../../server/lib/errors.ts';
import type { Reach } from '../../server/model/reach.ts';

const config = { corsOrigins: [], publicUrl: undefined, trustProxy: false };
const never = () => new Promise<never>(() => {});

/** A server with one route, whose store is away: who waits for it gives up at once. */
function serve({ transfers, handler }: { transfers: boolean; handler: () => Promise<unknown> }) {
  const waits: number[] = [];
  const reach: Reach = {
    untilWritable: async (ms) => {
      waits.push(ms);
      return false;
    },
    orAway(work, ms = 0) {
      waits.push(ms);
      return Promise.race([work, new Promise<never>((_, reject) => setImmediate(() => reject(unavailable())))]);
    },
  };
  const app = createHttpServer({ config, reach, originRefusals: { note() {} }, log: pino({ level: 'silent' }) });
  let calls = 0;
  const counted = () => {
    calls++;
    return handler();
  };
  const options = { onRequest: async () => {}, preHandler: async () => {}, config: { transfers } };
  app.get('/', options, counted);
  app.post('/', options, counted);
  return { app, waits, calls: () => calls };
}

describe('while the store is away', () => {
  it('a route that waits for it is unavailable, when its hooks and its handler together have taken that long', async () => {
    const { app, waits } = serve({ transfers: false, handler: never });
    const { statusCode } = await app.inject({ method: 'GET', url: '/' });
    expect(statusCode).toBe(503);
    expect(waits).toHaveLength(3);
    expect(waits[0]).toBe(COMMAND_DEADLINE_MS);
    expect(waits).toEqual(waits.toSorted((a, b) => b - a));
    expect(waits[2]).toBeLessThan(COMMAND_DEADLINE_MS);
  });

  it('what may write is not begun', async () => {
    const { app, calls } = serve({ transfers: false, handler: async () => 'done' });
    expect((await app.inject({ method: 'POST', url: '/' })).statusCode).toBe(503);
    expect(calls()).toBe(0);
    expect((await app.inject({ method: 'GET', url: '/' })).statusCode).toBe(200);
    expect(calls()).toBe(1);
  });

  it('a transfer goes on for as long as it takes', async () => {
    const { app } = serve({
      transfers: true,
      handler: async () => {
        for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
        return 'done';
      },
    });
    for (const method of ['GET', 'POST'] as const) {
      expect((await app.inject({ method, url: '/' })).statusCode).toBe(200);
    }
  });
});
