/** The imports of the project's source files, read from the files themselves. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Static and dynamic imports, and re-exports, of a relative path. */
const IMPORT = /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g;

/** What others have made, and what `npm run build:packages` makes. */
const BUILT = /(^|\/)(node_modules|dist)\//;

export interface Import {
  /** Both from the project's root, e.g. `server/groups/commands.ts`. */
  from: string;
  to: string;
}

/** The source files below some folders, from the project's root. */
export function sourceFiles(folders: string[]): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
        .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)))
        .filter((file) => !BUILT.test(file)),
    )
    .sort();
}

export function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, fixed, dynamic]) => ({
    from: file,
    to: path.normalize(path.join(path.dirname(file), (fixed ?? dynamic)!)),
  }));
}

export function lineCount(file: string): number {
  return readFileSync(path.join(ROOT, file), 'utf8').split('\n').length - 1;
}

/** Groups of nodes that import each other in a circle, each sorted; of a graph without circles none (Tarjan, 1972). */
export function circles(edges: [string, string][]): string[][] {
  const next = new Map<string, string[]>();
  for (const [from, to] of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const order = new Map<string, { index: number; low: number; open: boolean }>();
  const stack: string[] = [];
  const found: string[][] = [];

  function visit(node: string): { index: number; low: number; open: boolean } {
    const state = { index: order.size, low: order.size, open: true };
    order.set(node, state);
    stack.push(node);
    for (const other of next.get(node) ?? []) {
      const known = order.get(other);
      if (!known) state.low = Math.min(state.low, visit(other).low);
      else if (known.open) state.low = Math.min(state.low, known.index);
    }
    if (state.low === state.index) {
      const group = stack.splice(stack.indexOf(node));
      for (const member of group) order.get(member)!.open = false;
      if (group.length > 1) found.push(group.sort());
    }
    return state;
  }

  for (const [node] of next) if (!order.has(node)) visit(node);
  return found;
}
