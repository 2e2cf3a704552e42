import { expect, it } from 'vitest';
import { createConnections } from '../../server/presence/connections.ts';
import { createMemoryDepartures } from '../../server/presence/departures.ts';

it('a device is noted as one that left before it is taken out: no node sees a moment in which it is neither', async () => {
  const departures = createMemoryDepartures(60_000);
  const devices = new Set<string>();
  const graces: number[] = [];
  let work = Promise.resolve();
  const connections = createConnections({
    devices: {
      isShared: true,
      async put(_user, device) {
        devices.add(device);
      },
      async remove(userId, device) {
        graces.push(await departures.graceLeft(userId));
        devices.delete(device);
      },
      statuses: async (users) => users.map(() => []),
      sessions: async () => [],
      onVanished: () => {},
      close: async () => {},
    },
    departures: {
      ...departures,
      async add(...departure) {
        // As long as another program takes.
        await new Promise((resolve) => setTimeout(resolve, 20));
        await departures.add(...departure);
      },
    },
    settlement: { settle: async () => {}, forget: () => {} },
    background: {
      run(_user, task) {
        work = work.then(task);
        return work;
      },
      settleAgain: async () => {},
    },
    timers: { start: () => {}, close: () => {} },
    graceMs: 60_000,
  });
  connections.connected('u', 's', 'd', undefined);
  connections.disconnected('u', 's', 'd');
  await work;
  expect([...devices]).toEqual([]);
  expect(graces).toEqual([expect.any(Number)]);
  expect(graces[0]).toBeGreaterThan(0);
});
