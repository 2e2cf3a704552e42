/**
 * Builds the package into dist/: JavaScript with source maps, the contract as JSON Schemas, and declarations that need
 * nothing but TypeScript itself. Run by `npm run build:packages` in the project's root.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { contractDeclarations, contractSchemas } from './build-contract.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, 'dist');
const EXTERNAL = ['socket.io-client', 'tus-js-client', 'react', 'node:*'];

rmSync(DIST, { recursive: true, force: true });
await bundle();
const contract = await loadContract();
writeFileSync(join(DIST, 'contract.js'), contractSchemas(contract));
declare();
writeFileSync(join(DIST, 'types/contract.d.ts'), contractDeclarations(contract));

/** One file for each entry, and what they share in files of its own. */
async function bundle() {
  await build({
    absWorkingDir: HERE,
    entryPoints: {
      index: 'index.ts',
      react: 'react/index.ts',
      calls: 'calls/index.ts',
      storage: 'storage/index.ts',
      'storage.node': 'storage/index.node.ts',
    },
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    external: EXTERNAL,
    sourcemap: 'linked',
    chunkNames: 'chunks/[name]-[hash]',
    logLevel: 'warning',
  });
}

/** The contract's schemas, from their sources. */
async function loadContract() {
  const file = join(DIST, 'contract-sources.mjs');
  const sources = join(HERE, '../contract');
  const contents = ['index', 'documents', 'errors', 'accounts', 'values']
    .map((name) => `export * as ${name} from ${JSON.stringify(join(sources, `${name}.ts`))};`)
    .join('\n');
  await build({
    stdin: { contents, resolveDir: HERE },
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  });
  const loaded = await import(pathToFileURL(file).href);
  rmSync(file);
  return loaded;
}

/** Declarations of what the entries export. Those of the contract are written from its schemas. */
function declare() {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const types = join(DIST, 'all-types');
  const options = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--incremental', 'false'];
  execFileSync(
    process.execPath,
    [
      tsc,
      '-p',
      join(HERE, 'tsconfig.build.json'),
      ...options,
      '--tsBuildInfoFile',
      'null',
      '--outDir',
      types,
      '--rootDir',
      join(HERE, '..'),
    ],
    {
      stdio: 'inherit',
    },
  );
  for (const entry of readdirSync(join(types, 'client'), { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(join(types, 'client'), file);
    if (!entry.isFile() || path === 'contract.d.ts') continue;
    const text = readFileSync(file, 'utf8').replace(/(from\s+|import\()(['"])(\.[^'"]+)\.ts\2/g, '$1$2$3.js$2');
    const target = join(DIST, 'types', path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  rmSync(types, { recursive: true });
}
