/**
 * `npm run build`: bundles the programs and their threads into dist/, with the packages they use: a start then reads a
 * few files instead of a thousand. What is loaded later stays in files of its own. Only files whose content changed are
 * written, each in one step, so that building under a running server, or twice at once, harms nobody.
 *
 * With `--if-stale` it ends at once when dist/ was built from the sources and packages that are there.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUNDLE } from './build-options.mjs';

const ROOT = dirname(fileURLToPath(import.meta.url));
const DIST = join(ROOT, 'dist');
/** Says what dist/ was built from. */
const STAMP = join(DIST, 'built-from');
/** What goes into a build; npm writes the last whenever it installs something. */
const SOURCES = [
  'server',
  'shared',
  'docs',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'build.mjs',
  'build-options.mjs',
  'tsconfig.json',
  'node_modules/.package-lock.json',
];

const source = fingerprint();
if (process.argv.includes('--if-stale') && contentOf(STAMP)?.toString() === source) process.exit(0);
// Not before: loading it takes longer than all above.
const { build } = await import('esbuild');
const { buildWeb } = await import('./server/web/build.mjs');

const COMMON = { ...BUNDLE, write: false };

/** The embedded database is a package of its own: the server loads it as one. */
const embeddedApart = {
  name: 'embedded-apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/embedded\/\w+\.ts$/ }, ({ path }) => ({
      path: path.replace(/\.ts$/, '.js'),
      external: true,
    }));
  },
};

const bundles = await Promise.all([
  build({
    ...COMMON,
    outdir: 'dist/server/embedded',
    entryPoints: ['copied', 'folder', 'main', 'move', 'reach', 'start', 'worker'].map(
      (name) => `server/embedded/${name}.ts`,
    ),
  }),
  build({
    ...COMMON,
    outdir: 'dist/server',
    outbase: 'server',
    entryPoints: [
      'server/main.ts',
      'server/letsapp.ts',
      'server/tools.ts',
      'server/testing/child.ts',
      'server/accounts/passwords/hashing-thread.ts',
      'server/media/inspect/worker.ts',
    ],
    plugins: [embeddedApart],
  }),
  // For an app's own tests: with the client, so that it needs no other package of ours.
  build({ ...COMMON, splitting: false, outdir: 'dist/testing', entryPoints: ['server/testing/index.ts'] }),
]);

const files = new Map([
  ...bundles.flatMap(({ outputFiles }) => outputFiles).map(({ path, contents }) => [path, contents]),
  ...(await buildWeb(build, join(DIST, 'web'))),
  ...[...(await documentation())].map(([name, contents]) => [join(DIST, 'docs', name), contents]),
]);
for (const [path, contents] of files) {
  if (contentOf(path)?.equals(contents)) continue;
  mkdirSync(dirname(path), { recursive: true });
  replace(path, contents);
}
// Of an earlier build.
for (const entry of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile() && /\.(js|map|txt|css|gz|br)$/.test(path) && !files.has(path)) rmSync(path, { force: true });
}
replace(STAMP, source);

/** The files of the documentation site (docs/site/). Its program is bundled and run at once: it is in TypeScript. */
async function documentation() {
  const { outputFiles } = await build({
    ...COMMON,
    splitting: false,
    banner: {},
    outdir: 'dist',
    entryPoints: ['docs/site/main.ts'],
    sourcemap: false,
    legalComments: 'none',
  });
  const program = join(DIST, `site.${process.pid}.mjs`);
  mkdirSync(DIST, { recursive: true });
  writeFileSync(program, outputFiles[0].contents);
  try {
    return (await import(program)).buildSite(ROOT);
  } finally {
    rmSync(program);
  }
}

/** Names, sizes and times of change of all sources, in short. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const path of SOURCES.flatMap(filesBelow).sort()) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function filesBelow(name) {
  const path = join(ROOT, name);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found ? [path] : [];
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name: entry }) => entry !== 'node_modules' && entry !== 'dist')
    .flatMap((entry) => filesBelow(join(name, entry.name)));
}

function replace(path, contents) {
  const next = `${path}.${process.pid}`;
  writeFileSync(next, contents);
  renameSync(next, path);
}

function contentOf(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
