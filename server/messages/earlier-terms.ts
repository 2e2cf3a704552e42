/**
 * Terms as versions up to 0.1 stored them. As long as there are such messages, a query looks for these terms too;
 * nothing is stored in this form any more.
 */
import type { Collections } from '../model/collections.ts';
import { foldingJob, roundKey } from '../model/passes.ts';

const UNSPACED = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]`;
const EMOJI = String.raw`\p{Extended_Pictographic}|\p{Regional_Indicator}{2}`;
const WORD = new RegExp(String.raw`${EMOJI}|${UNSPACED}|(?:(?!${UNSPACED})[\p{L}\p{N}])+`, 'gu');
const LOOK_EVERY_MS = 30_000;

/** The terms that a query had, the longest first. */
export function earlierTermsOf(query: string): string[] {
  const folded = query
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
  const words = (folded.match(WORD) ?? []).map((word) => word.slice(0, 40));
  return [...new Set(words)].sort((one, other) => other.length - one.length);
}

export interface Folding {
  /** Whether messages with earlier terms may still exist: their first round of folding goes on, or is not yet known. */
  isUnderWay(): boolean;
  close(): void;
}

/** Watches whether messages are being folded anew, until they all are. */
export function watchFolding({ jobs }: Pick<Collections, 'jobs'>): Folding {
  let underWay = true;
  const ids = (['messages', 'group_messages'] as const).map(
    (name) => new RegExp(`^${foldingJob(name)}:${roundKey(1)}`),
  );

  async function look(): Promise<void> {
    underWay = (await jobs.findOne({ _id: { $in: ids } }, { projection: { _id: 1 } })) !== null;
    if (!underWay) clearInterval(looking);
  }

  const lookOrLater = () => void look().catch(() => {});
  const looking = setInterval(lookOrLater, LOOK_EVERY_MS);
  looking.unref();
  lookOrLater();
  return { isUnderWay: () => underWay, close: () => clearInterval(looking) };
}
