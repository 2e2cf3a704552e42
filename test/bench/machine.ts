/** The machine that a run was made on. */
import { cpus, loadavg, totalmem, type } from 'node:os';
import { outerUrl } from '../support/outer-database.ts';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  store: string;
  /** Processes that wanted a core in the minute before the run: whatever else the machine does is in the figures. */
  loadBefore: number;
}

export function describeMachine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${process.arch}`,
    node: process.version,
    loadBefore: loadavg()[0]!,
    store: outerUrl ? 'MongoDB' : 'the embedded development database, a process of its own',
  };
}
