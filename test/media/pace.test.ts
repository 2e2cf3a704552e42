import { describe, expect, it } from 'vitest';
import { createPace } from '../../server/media/storage/pace.ts';

const MIB = 1024 * 1024;

/** A pace with a clock of its own: a message every five milliseconds, and a transfer that moves a piece after each. */
function scene() {
  let time = 0;
  const pace = createPace(() => time);
  return {
    pace,
    later(ms: number) {
      time += ms;
    },
    /** Handles messages that take `ms` each. @returns the transfer's last rest */
    messages(count: number, ms: number, isMoving: boolean) {
      let rest = 0;
      for (let i = 0; i < count; i++) {
        time += 5;
        pace.observe(ms);
        if (isMoving) rest = pace.restAfter(MIB);
      }
      return rest;
    },
  };
}

describe('file transfers', () => {
  it('do not rest while there are no messages', () => {
    const { pace, messages, later } = scene();
    expect(pace.restAfter(MIB)).toBe(0);
    messages(200, 2, false);
    later(1000);
    expect(pace.restAfter(MIB)).toBe(0);
  });

  it('rest longer while messages are slowed down, at most half a second per mebibyte', () => {
    const { messages } = scene();
    messages(200, 2, false);
    const first = messages(1, 2, true);
    const soon = messages(20, 8, true);
    expect(soon).toBeGreaterThan(first);
    expect(messages(1000, 50, true)).toBe(500);
  });

  it('rest less and less while messages are not slowed down, in the end not at all', () => {
    const { messages } = scene();
    messages(200, 2, false);
    const longest = messages(200, 20, true);
    const shorter = messages(400, 2, true);
    expect(shorter).toBeLessThan(longest);
    expect(messages(3000, 2, true)).toBe(0);
  });

  it('rest in proportion to the bytes moved', () => {
    const { pace, messages } = scene();
    messages(10, 2, false);
    expect(pace.restAfter(MIB / 4)).toBeCloseTo(pace.restAfter(MIB) / 4);
  });

  it('learn how long messages usually take from the times without transfers', () => {
    const { messages, later } = scene();
    messages(200, 2, false);
    messages(2000, 20, true);
    expect(messages(1, 20, true)).toBe(500);
    later(1000);
    // Messages slow down for another reason: transfers need not rest for that.
    messages(1000, 20, false);
    const first = messages(1, 20, true);
    expect(messages(200, 20, true)).toBeLessThan(first);
  });
});
