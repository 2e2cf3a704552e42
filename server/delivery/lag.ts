/** Measures how late messages are when they go onto this node's sockets. */
import type { Change } from '../bus/operations.ts';
import { DURATIONS, histograms } from '../lib/measures.ts';

const lags = histograms(
  'letsapp_delivery_lag_seconds',
  'Time from the date of a message, which it gets before it is stored, until it goes onto the sockets of this node',
  [],
  DURATIONS,
)();

/** To be called as a change goes out. @param clock the database's time, by which messages are dated */
export function noteLag({ is_new, message }: Change, clock: () => Date): void {
  if (is_new) lags.observe(Math.max(0, clock().getTime() - Date.parse(message.created_at)) / 1000);
}
