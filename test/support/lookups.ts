import type { LookupCache } from '../../server/conversations/lookup-cache.ts';

/** Looks everything up each time. */
export const uncached: LookupCache = {
  recall: (_topic, _key, find) => find(),
  changing: (_topic, work) => work(),
  forget: () => {},
};
