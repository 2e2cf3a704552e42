/** What processes spend, seen from outside (proc(5), Linux). */
import { readdir, readFile } from 'node:fs/promises';

/** Of the kernel's clock, by which it counts what a process spends. */
const TICKS_PER_S = 100;

/** Milliseconds of processor time that a process has spent with all its threads, in steps of 10. */
export async function cpuMs(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_S;
}

/**
 * Bytes that a process has written, to files and to sockets. What the kernel counts as written to disk (`write_bytes`)
 * tells nothing: it counts a whole folio of the page cache, of up to 2 MiB, whenever a byte of it changes.
 */
export async function writtenBytes(pid: number): Promise<number> {
  return Number(/^wchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))![1]);
}

/** Bytes of memory in use by a process and all that it started. */
export async function residentBytes(pid: number): Promise<number> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map<number, number>();
  for (const one of all) {
    const fields = await statOf(one).catch(() => undefined);
    if (fields) parents.set(one, Number(fields[1]));
  }
  const family = [pid];
  for (const member of family) family.push(...all.filter((one) => parents.get(one) === member));
  const sizes = await Promise.all(
    family.map(async (member) => {
      const status = await readFile(`/proc/${member}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The fields of a process after its name, which may contain anything. */
async function statOf(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
