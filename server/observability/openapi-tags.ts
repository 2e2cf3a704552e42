/** The groups that operations are listed in, by where their paths begin. */

const DESCRIPTIONS: Record<string, string> = {
  auth: 'Registration, sign-in, sessions and passwords.',
  users: 'The own account.',
  media: 'Images, sound and film.',
  files: 'Files of any kind.',
  uploads: 'Resumable uploads by the tus protocol (tus.io).',
  server: "What an operator's own back end may do with a server key.",
  push: 'Push notifications.',
  server_state: 'Health, metrics, keys and the published documents.',
};

/** @returns the tag of a path: its first part, or for a command the domain */
export function tagOf(url: string): string {
  const [first = '', second = ''] = url.split('/').filter(Boolean);
  if (first === 'api') return second;
  return /^\w+$/.test(first) && url.includes('/', 1) ? first : first in DESCRIPTIONS ? first : 'server_state';
}

/** @returns the tags of all paths, each with a description */
export function describeTags(urls: string[]): object[] {
  const isCommand = new Set(urls.filter((url) => url.startsWith('/api/')).map(tagOf));
  return [...new Set(urls.map(tagOf))].map((name) => ({
    name,
    description: DESCRIPTIONS[name] ?? (isCommand.has(name) ? `Commands: \`${name}\`.` : `Below \`/${name}\`.`),
  }));
}
