/** What the command line of the benchmark asks for. */
import { parseArgs } from 'node:util';

export interface Options {
  /** The parts to run, in the order of the catalogue. */
  parts: string[];
  /** Whether these are all but the long ones. */
  areAll: boolean;
  /** Where to write the figures as JSON. */
  json: string | undefined;
  /** The figures of an earlier run, shown beside. */
  before: string | undefined;
  /** Another checkout, built: the same parts are run with its server, too, one after the other. */
  other: string | undefined;
  /** Figures to make the document of, instead of measuring. */
  from: string | undefined;
  /** Writes the document although parts failed. */
  write: boolean;
}

/**
 * @param args the command line, without the program
 * @param catalogue the name of every part, and whether it runs only when named
 * @throws Error with a line for the user
 */
export function readOptions(args: string[], catalogue: Record<string, { isLong?: true }>): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      before: { type: 'string' },
      other: { type: 'string' },
      from: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  const names = Object.keys(catalogue);
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}; there are ${names.join(', ')}`);
  const usual = names.filter((name) => !catalogue[name]!.isLong);
  const parts = positionals.length > 0 ? names.filter((name) => positionals.includes(name)) : usual;
  const areAll = usual.every((name) => parts.includes(name));
  if (values.write && !areAll) throw new Error('--write: the document is made of all parts or not at all');
  const { json, before, other, from, write } = values;
  return { parts, areAll, json, before, other, from, write };
}
