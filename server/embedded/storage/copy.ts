/** Copies LMDB's file while it is in use. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../values/fault.ts';
import { TREE_FILE } from './damage.ts';
import type { Tree } from './tree.ts';

/** Where the copy is made, in the folder of the database: whoever asked for it moves it away. */
const COPY_FOLDER = 'copy';

/** The file that `Storage.copy` makes. @param folder that of the database */
export function copiedFile(folder: string): string {
  return join(folder, COPY_FOLDER, TREE_FILE);
}

/** Removes a copy that nobody fetched. */
export function removeCopy(folder: string): void {
  rmSync(join(folder, COPY_FOLDER), { recursive: true, force: true });
}

export interface Copying {
  /**
   * Writes what the last commit holds, without free pages. Reads and writes go on meanwhile.
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
    mkdirSync(join(folder, COPY_FOLDER), { mode: 0o700 });
    try {
      await tree.backup(join(folder, COPY_FOLDER), true);
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
