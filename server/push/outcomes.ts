/** Counts what became of pushes, for `/metrics`. */
import type { PushProvider } from '../../shared/contract/push.ts';
import type { Counted } from './jobs/attempt.ts';

export interface OutcomeCount {
  provider: PushProvider;
  outcome: Counted;
  count: number;
}

export interface Outcomes {
  count(provider: PushProvider, outcome: Counted): void;
  /** Since the start. */
  counts(): OutcomeCount[];
}

export function createOutcomes(): Outcomes {
  const counts = new Map<string, OutcomeCount>();
  return {
    count(provider, outcome) {
      const key = `${provider} ${outcome}`;
      const known = counts.get(key) ?? { provider, outcome, count: 0 };
      counts.set(key, { ...known, count: known.count + 1 });
    },
    counts: () => [...counts.values()],
  };
}
