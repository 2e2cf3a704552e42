/** `npm run keys`: what it takes, does and prints. */
import type { KeyStore } from './key-store.ts';

const USAGE = 'use: npm run keys -- create NAME | list | revoke ID';
const NAME = /^[^\p{Cc}]{1,100}$/u;

/** What is wanted of the keys. */
export type Wanted = { command: 'create'; name: string } | { command: 'list' } | { command: 'revoke'; id: string };

/**
 * @param words what follows `npm run keys --`
 * @throws Error with a one-line message for anything that is not a command
 */
export function readWords([command, argument, ...rest]: string[]): Wanted {
  if (rest.length === 0) {
    if (command === 'create' && argument !== undefined) {
      if (NAME.test(argument)) return { command, name: argument };
      throw new Error('the name of a key has 1 to 100 characters, without control characters');
    }
    if (command === 'list' && argument === undefined) return { command };
    if (command === 'revoke' && argument !== undefined) return { command, id: argument };
  }
  throw new Error(USAGE);
}

/**
 * @returns what is printed
 * @throws Error with a one-line message for a key that does not exist
 */
export async function carryOut(wanted: Wanted, keys: KeyStore): Promise<string> {
  switch (wanted.command) {
    case 'create':
      return keys.create(wanted.name);
    case 'list':
      return table(await keys.list());
    case 'revoke':
      if (!(await keys.revoke(wanted.id))) throw new Error(`there is no key ${wanted.id}`);
      return `${wanted.id} is revoked`;
  }
}

function table(keys: Awaited<ReturnType<KeyStore['list']>>): string {
  const rows = keys.map(({ _id, name, created_at, last_used_at }) => ({
    id: _id,
    created: created_at.toISOString(),
    used: last_used_at?.toISOString() ?? 'never',
    name,
  }));
  return [{ id: 'id', created: 'created', used: 'last used', name: 'name' }, ...rows]
    .map(({ id, created, used, name }) => `${id.padEnd(16)}  ${created.padEnd(24)}  ${used.padEnd(24)}  ${name}`)
    .join('\n');
}
