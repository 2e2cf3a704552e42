import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextStep } from '../../server/contacts/pair-rules.ts';

type Side = NonNullable<Parameters<typeof nextStep>[0]>;

const SIDES: Record<string, Side | undefined> = {
  none: undefined,
  out: { status: 'pending', direction: 'out' },
  in: { status: 'pending', direction: 'in' },
  accepted: { status: 'accepted' },
  blocked: { status: 'blocked' },
};
const nameOf = (side: Side | undefined) => side?.direction ?? side?.status.replace('pending', '') ?? 'none';

/** Carries out all steps. If `turned` says so, the two documents are given in the other order. */
function settle(one: Side | undefined, other: Side | undefined, turned: () => boolean): string {
  let sides = [one && { ...one }, other && { ...other }] as [Side | undefined, Side | undefined];
  for (let taken = 0; taken < 10; taken++) {
    const [first, second] = sides;
    const step = turned() ? nextStep(second, first) : nextStep(first, second);
    if (!step) return sides.map(nameOf).join('/');
    if (step.kind === 'deliver') sides = first ? [first, { ...SIDES.in! }] : [{ ...SIDES.in! }, second];
    else {
      const after = step.kind === 'accept' ? { ...SIDES.accepted! } : undefined;
      sides = sides.map((side) => (side === step.contact ? after : side)) as typeof sides;
    }
  }
  throw new Error('no end');
}

describe('the two documents of a pair', () => {
  it('lead to exactly one state, whichever crash left them', () => {
    const states = Object.fromEntries(
      Object.entries(SIDES).flatMap(([one, a]) =>
        Object.entries(SIDES).map(([other, b]) => [`${one}/${other}`, settle(a, b, () => false)]),
      ),
    );
    expect(states).toEqual({
      'none/none': 'none/none',
      'none/out': 'in/out',
      'none/in': 'none/none',
      'none/accepted': 'none/none',
      'none/blocked': 'none/blocked',
      'out/none': 'out/in',
      'out/out': 'accepted/accepted',
      'out/in': 'out/in',
      'out/accepted': 'accepted/accepted',
      'out/blocked': 'none/blocked',
      'in/none': 'none/none',
      'in/out': 'in/out',
      'in/in': 'none/none',
      'in/accepted': 'accepted/accepted',
      'in/blocked': 'none/blocked',
      'accepted/none': 'none/none',
      'accepted/out': 'accepted/accepted',
      'accepted/in': 'accepted/accepted',
      'accepted/accepted': 'accepted/accepted',
      'accepted/blocked': 'none/blocked',
      'blocked/none': 'blocked/none',
      'blocked/out': 'blocked/none',
      'blocked/in': 'blocked/none',
      'blocked/accepted': 'blocked/none',
      'blocked/blocked': 'blocked/blocked',
    });
  });

  it('lead to the same state, whichever of the two looks', () => {
    const side = fc.constantFrom(...Object.values(SIDES));
    fc.assert(
      fc.property(side, side, fc.infiniteStream(fc.boolean()), (one, other, turns) => {
        expect(settle(one, other, () => turns.next().value)).toBe(settle(one, other, () => false));
      }),
    );
  });
});
