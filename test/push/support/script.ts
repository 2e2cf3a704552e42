/** How a stand-in for a provider answers: as told for the next requests, and well otherwise. */
export interface Scripted {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface Script {
  /** Answers the next requests so, one after the other. */
  next(...answers: (Scripted | 'hang')[]): void;
  /** Answers all requests so from now on; undefined: well. */
  always(answer: Scripted | 'hang' | undefined): void;
  take(): Scripted | 'hang' | undefined;
}

export function createScript(): Script {
  const queue: (Scripted | 'hang')[] = [];
  let standing: Scripted | 'hang' | undefined;
  return {
    next: (...answers) => void queue.push(...answers),
    always(answer) {
      standing = answer;
    },
    take: () => queue.shift() ?? standing,
  };
}
