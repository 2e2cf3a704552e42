/** Bringing the two documents of a pair into agreement, after a command or after a crash. */
import { untilDone } from './attempts.ts';
import type { Pair, PairDocuments } from './pair-documents.ts';
import { nextStep } from './pair-rules.ts';

/** How many steps a pair may need while others change it too. */
const MAX_STEPS = 30;

/**
 * Carries out steps until the documents fit together.
 * @param socket the acting socket, which is not told
 * @returns the documents as they are then
 * @throws ContractError `unavailable` if others keep changing them
 */
export type Reconcile = (ownerId: string, otherId: string, socket?: string) => Promise<Pair>;

/** @param onBecameContacts both documents say that the two are contacts, and did not before */
export function createReconcile(
  pairs: PairDocuments,
  onBecameContacts: (one: string, other: string) => void,
): Reconcile {
  return (ownerId, otherId, socket) => {
    let accepted = false;
    return untilDone(async () => {
      const pair = await pairs.read(ownerId, otherId);
      const step = nextStep(pair.mine, pair.theirs);
      if (step) {
        const done = await pairs.carryOut(step, socket);
        accepted ||= done && step.kind === 'accept';
        return undefined;
      }
      if (accepted && pair.mine?.status === 'accepted') onBecameContacts(ownerId, otherId);
      return pair;
    }, MAX_STEPS);
  };
}
