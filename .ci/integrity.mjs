// Gives every package of package-lock.json its integrity. npm leaves it out of packages for other platforms when it
// changes the file beside an installed node_modules.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'package-lock.json';
const lock = JSON.parse(readFileSync(FILE, 'utf8'));

for (const [path, entry] of Object.entries(lock.packages)) {
  if (!path.includes('node_modules/') || entry.link || entry.integrity) continue;
  const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const integrity = execFileSync('npm', ['view', `${name}@${entry.version}`, 'dist.integrity'], {
    encoding: 'utf8',
  }).trim();
  if (!integrity.startsWith('sha512-')) throw new Error(`no integrity of ${name}@${entry.version} is known`);
  const { version, ...others } = entry;
  lock.packages[path] = { version, integrity, ...others };
}

writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
