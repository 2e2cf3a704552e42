/** Builds the web client: one script with what is loaded later beside it, styles, the page, the service worker, icons. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const AS_THEY_ARE = ['icon.svg', 'icon-192.png', 'icon-512.png', 'manifest.webmanifest'];
const WORTH_COMPRESSING = /\.(js|css|html|svg|webmanifest)$/;

/**
 * @param {typeof import('esbuild').build} build
 * @param {string} outdir where the files are to be
 * @returns {Promise<Map<string, Uint8Array>>} contents by path; beside what compresses, the same as `.gz` and `.br`
 */
export async function buildWeb(build, outdir) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(HERE, 'main.tsx')],
    outdir,
    entryNames: 'app-[hash]',
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome111', 'firefox128', 'safari16.4'],
    minify: true,
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    // The client as it lies in the repository: its package is not built yet.
    alias: { react: 'preact/compat', 'letsapp-client': join(HERE, '../../shared/client') },
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'warning',
    metafile: true,
    write: false,
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [path, Buffer.from(contents)]));
  const named = (pattern) => `/${basename([...files.keys()].find((path) => pattern.test(path)))}`;
  const source = (name) => readFileSync(join(HERE, name), 'utf8');
  const entry = { script: named(/app-\w+\.js$/), style: named(/app-\w+\.css$/) };

  const page = source('index.html').replace('%SCRIPT%', entry.script).replace('%STYLE%', entry.style);
  for (const name of AS_THEY_ARE) files.set(join(outdir, name), readFileSync(join(HERE, name)));
  files.set(join(outdir, 'index.html'), Buffer.from(page));
  const shell = [...firstOf(metafile), entry.style, '/icon.svg', '/icon-192.png', '/manifest.webmanifest'];
  const version = createHash('sha256').update(page).digest('hex').slice(0, 12);
  const worker = source('sw.js')
    .replaceAll('%VERSION%', version)
    .replace("'%FILES%'", `'${JSON.stringify(shell)}'`);
  files.set(join(outdir, 'sw.js'), Buffer.from(worker));

  for (const [path, contents] of [...files]) {
    if (!WORTH_COMPRESSING.test(path)) continue;
    files.set(`${path}.gz`, gzipSync(contents, { level: 9 }));
    files.set(`${path}.br`, brotliCompressSync(contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  }
  return files;
}

/** The scripts of the first load: the entry and what it imports at once. */
function firstOf({ outputs }) {
  const wanted = new Set();
  const visit = (path) => {
    if (wanted.has(path)) return;
    wanted.add(path);
    for (const { path: next, kind } of outputs[path]?.imports ?? []) if (kind === 'import-statement') visit(next);
  };
  visit(Object.keys(outputs).find((path) => outputs[path].entryPoint && path.endsWith('.js')));
  return [...wanted].map((path) => `/${basename(path)}`);
}
