/** Copies LMDB's file while it is in use. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../values/fault.ts';
import type { Tree } from './tree.ts';

/** Where `Storage.copy` makes LMDB's file: whoever asked for it fetches it. @param folder that of the database */
export function copyFolder(folder: string): string {
  return join(folder, 'copy');
}

/** Removes a copy that nobody fetched. */
export function removeCopy(folder: string): void {
  rmSync(copyFolder(folder), { recursive: true, force: true });
}

export interface Copying {
  /**
   * Writes LMDB's file as the last commit left it, with its free pages. Reads and writes go on meanwhile.
   * @throws Fault ConflictingOperationInProgress while another copy is made; what LMDB throws, on a full disk for example
   */
  copy(): Promise<void>;
  /** Waits for a copy under way. */
  idle(): Promise<void>;
}

export function createCopying(tree: Tree, folder: string): Copying {
  let underWay: Promise<void> | undefined;

  async function write(): Promise<void> {
    removeCopy(folder);
    mkdirSync(copyFolder(folder), { mode: 0o700 });
    try {
      await tree.backup(copyFolder(folder), false);
    } catch (error) {
      removeCopy(folder);
      throw error;
    }
  }

  return {
    async copy() {
      if (underWay) throw new Fault(117, 'another copy of the database is being made');
      underWay = write().finally(() => {
        underWay = undefined;
      });
      await underWay;
    },
    async idle() {
      await underWay?.catch(() => {});
    },
  };
}
