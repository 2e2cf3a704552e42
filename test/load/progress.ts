/** Shows how far a run is: one line that is drawn anew on a terminal, else a line now and then. */
import { clearLine, cursorTo } from 'node:readline';
import type { WriteStream } from 'node:tty';
import type { Progress } from './run.ts';

const BAR_LENGTH = 24;
/** Between two lines where they stay. */
const PLAIN_EVERY_MS = 5000;
/** Between two drawings. */
const DRAW_EVERY_MS = 200;

const PHASES: Record<Progress['phase'], string> = {
  accounts: 'making accounts',
  connections: 'connecting',
  load: 'load',
  check: 'checking',
};

/** What a run looks like at a moment, without the bar. */
export function progressLine({ phase, done, of, answered, errors, latency }: Progress): string {
  if (phase === 'accounts' || phase === 'connections') return `${PHASES[phase]}: ${done} of ${of} users`;
  const perSecond = Math.round(answered / Math.max(1, done));
  const figures = `${perSecond}/s  p50 ${latency.p50.toFixed(1)} ms  p99 ${latency.p99.toFixed(1)} ms  ${errors} errors`;
  if (phase === 'check') return `checking what arrived  ${figures}`;
  return `${Math.min(done, of)} of ${of} s  ${figures}`;
}

export interface ProgressDisplay {
  show(progress: Progress): void;
  /** A line that stays. */
  note(text: string): void;
  end(): void;
}

export function createDisplay(stream: WriteStream): ProgressDisplay {
  const isTerminal = stream.isTTY === true;
  let shown: { phase: Progress['phase']; at: number } | undefined;
  const notes = new Set<string>();

  function clear(): void {
    if (!isTerminal) return;
    clearLine(stream, 0);
    cursorTo(stream, 0);
  }

  return {
    show(progress) {
      const pause = isTerminal ? DRAW_EVERY_MS : PLAIN_EVERY_MS;
      if (shown?.phase === progress.phase && performance.now() - shown.at < pause) return;
      shown = { phase: progress.phase, at: performance.now() };
      clear();
      if (!isTerminal) {
        stream.write(`${progressLine(progress)}\n`);
        return;
      }
      const filled = Math.round(BAR_LENGTH * Math.min(1, progress.done / progress.of));
      stream.write(`${'█'.repeat(filled)}${'░'.repeat(BAR_LENGTH - filled)} ${progressLine(progress)}`);
    },
    note(text) {
      // Each process says the same, in other numbers of seconds.
      const kind = text.replace(/\d+/g, '');
      if (notes.has(kind)) return;
      notes.add(kind);
      clear();
      stream.write(`${text}\n`);
    },
    end: clear,
  };
}
