/* What is said when a file is not as the database left it. Each names the file, and what to do. */

/** The tree's file. It lies in the folder of the database. */
export const TREE_FILE = 'data.mdb';

/** @param what what is wrong, and where */
export function damagedTree(what: string): Error {
  return new Error(
    `database/${TREE_FILE} in DATA_DIR is damaged (${what}): nothing was changed; put back a copy of DATA_DIR/database, or ` +
      'move that folder away to start without data',
  );
}

/** What a failure to take the tree's file apart says: a number that was read may point out of what it is about. */
export function damageBy(error: unknown): unknown {
  return error instanceof RangeError ? damagedTree('its structure') : error;
}

/** @param what which acknowledged writes are missing */
export function damagedLog(file: string, what: string): Error {
  return new Error(
    `database/${file} in DATA_DIR is damaged (${what}): nothing was changed; put back a copy of DATA_DIR/database, or ` +
      'delete redo-0 and redo-1 in it to start without the last writes before the crash',
  );
}
