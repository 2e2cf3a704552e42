import type { PresenceDocument } from '../model/documents/presence.ts';

export type Status = PresenceDocument['status'];

/** From the one that outranks all others to the one that counts last. */
const RANKING: Status[] = ['busy', 'online', 'away'];

/** What the devices of a user add up to: busy, set by hand, outranks; then the most available device counts. */
export function aggregate(statuses: Status[]): Status {
  return RANKING.find((status) => statuses.includes(status)) ?? 'offline';
}
