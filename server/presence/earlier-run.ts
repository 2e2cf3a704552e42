/** Users who are shown as present although the node that had their devices is gone: an earlier run, or a dead node. */
import type { Logger } from 'pino';
import { type Background, RETRY_MS } from './background.ts';
import type { DeviceRegistry } from './devices.ts';
import { PRESENT, type PresenceStore } from './presence-store.ts';

/** Users read at once. */
const PAGE = 500;
/** How many of them are settled side by side: the service goes on meanwhile, and must not suffer from it. */
const AT_ONCE = 10;

export interface EarlierRunOptions {
  store: Pick<PresenceStore, 'findPresent'>;
  devices: Pick<DeviceRegistry, 'onVanished'>;
  background: Pick<Background, 'settleAgain'>;
  /** How long users have to come back, in milliseconds. */
  graceMs: number;
  log: Logger;
}

/** Takes such users offline: all of them after the grace period, later those whose devices vanish. */
export function settleEarlierRun(options: EarlierRunOptions): { close(): void } {
  const { store, devices, background, graceMs, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  /** Page by page, so that nothing is held open in the database however long it takes. */
  async function settleAll(): Promise<void> {
    for (const status of PRESENT) {
      let page: string[] = [];
      do {
        page = await store.findPresent(status, page.at(-1), PAGE);
        for (let from = 0; from < page.length && !isClosed; from += AT_ONCE) {
          await Promise.all(page.slice(from, from + AT_ONCE).map(background.settleAgain));
        }
      } while (page.length === PAGE && !isClosed);
    }
  }

  function settleAllAfter(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      settleAll().catch((err: unknown) => {
        log.warn({ err }, 'users who are shown as present could not be read; trying again');
        settleAllAfter(RETRY_MS);
      });
    }, ms);
    timer.unref();
  }

  settleAllAfter(graceMs);
  devices.onVanished((userIds) => {
    if (userIds) for (const userId of userIds) void background.settleAgain(userId);
    else settleAllAfter(0);
  });
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
