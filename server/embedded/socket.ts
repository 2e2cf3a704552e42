import { randomBytes } from 'node:crypto';
import { mkdir, readlink, rm, rmdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

/** The longest path of a Unix socket, in bytes: 108 on Linux, 104 on macOS and the BSDs, with a zero at the end. */
const LONGEST_PATH = 103;
/** What drivers pass on unchanged in an address: some decode a path twice. */
const PLAIN = /^[\w./-]+$/;
/** Drivers know a socket by this ending. */
const NAME = 'database.sock';
const TEMPORARY = /^letsapp-[0-9a-f]{32}$/;

export interface SocketPlace {
  path: string;
  /** Removes the socket, and the folder that was made for it. */
  remove(): Promise<void>;
}

/**
 * Finds the place for a socket that belongs to the folder: in it, or, if that path will not do, in a private folder of
 * its own in the system's temporary one. In the folder is then a link to it. What a killed process left is removed.
 * @param folder only its owner may enter it, and it is locked
 * @throws Error if there is no place for it
 */
export async function socketPlace(folder: string): Promise<SocketPlace> {
  const own = resolve(folder, NAME);
  await removeSocket(own);
  if (isUsable(own) && (await canListen(own))) return { path: own, remove: () => removeSocket(own) };
  const temporary = join(tmpdir(), `letsapp-${randomBytes(16).toString('hex')}`);
  const path = join(temporary, NAME);
  if (!isUsable(path)) {
    throw new Error(`neither ${own} nor ${path} can be a socket: choose a short and plain DATA_DIR or TMPDIR`);
  }
  // First the link: however early the process is killed, the next start finds what there is to remove. Where there are
  // no links, that stays until the system empties its temporary folder.
  await symlink(path, own).catch(() => {});
  await mkdir(temporary, 0o700);
  return { path, remove: () => removeSocket(own) };
}

/** The address of a socket as drivers take it. */
export function urlOfSocket(path: string): string {
  return `mongodb://${encodeURIComponent(path)}/letsapp`;
}

function isUsable(path: string): boolean {
  return path.length <= LONGEST_PATH && PLAIN.test(path);
}

/** Some file systems, as those that containers share with their host, have no sockets. */
function canListen(path: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(path, () => server.close(() => resolve(true)));
  });
}

async function removeSocket(own: string): Promise<void> {
  const path = await readlink(own).catch(() => undefined);
  const temporary = path && resolve(path, '..');
  if (temporary && TEMPORARY.test(basename(temporary)) && basename(path) === NAME) {
    await rm(path, { force: true });
    await rmdir(temporary).catch(() => {});
  }
  await rm(own, { force: true });
}
