/** Thirty pairs, each with one message at a time under way. */
import { closedLoop, type LoopResult, sendingLoop } from './closed-loop.ts';
import { connectLives, connectPairs } from './pairs.ts';
import type { Side } from './sides.ts';

export const PAIRS = 30;
const OPTIONS = { seconds: 2, underWay: 1 };

export type Loop = (side: Side) => Promise<LoopResult>;

/** Sent, each acknowledged before the next. */
export const sendsOf: Loop = async (side) => {
  const pairs = await connectPairs(side, PAIRS);
  const result = await sendingLoop(side, pairs, OPTIONS);
  pairs.close();
  return result;
};

/** Sent, acknowledged as delivered, then read, each awaited. */
export const livesOf: Loop = async (side) => {
  const lives = await connectLives(side, PAIRS);
  const result = await closedLoop(side, PAIRS, lives.live, OPTIONS);
  lives.close();
  if (result.refused > 0) throw new Error(`${result.refused} lives were refused`);
  return result;
};
