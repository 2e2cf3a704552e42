/** Users who are shown as present although the node that had their devices is gone: an earlier run, or a dead node. */
import type { Logger } from 'pino';
import { type Background, RETRY_MS } from './background.ts';
import type { DeviceRegistry } from './devices.ts';
import type { PresenceStore } from './presence-store.ts';

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

  async function settleAll(): Promise<void> {
    for await (const { user_id } of store.findPresent()) await background.settleAgain(user_id.toHexString());
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
  return { close: () => clearTimeout(timer) };
}
