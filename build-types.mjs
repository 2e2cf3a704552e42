/**
 * Writes the declarations of `letsapp/testing` into dist/testing/, beside those of the client that it gives out. Run by
 * `npm run build:packages`, after the client was built.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(fileURLToPath(import.meta.url));
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const folder = mkdtempSync(join(tmpdir(), 'letsapp-types-'));
const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8'));
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({
    compilerOptions: {
      ...compilerOptions,
      typeRoots: [join(ROOT, 'node_modules/@types')],
      incremental: false,
      tsBuildInfoFile: undefined,
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: ROOT,
      outDir: folder,
    },
    files: [join(ROOT, 'server/testing/index.ts')],
  }),
);
execFileSync(process.execPath, [tsc, '-p', folder], { cwd: ROOT, stdio: 'inherit' });
const declared = readFileSync(join(folder, 'server/testing/index.d.ts'), 'utf8');
writeFileSync(
  join(ROOT, 'dist/testing/index.d.ts'),
  declared.replace('../../shared/client/index.ts', './client/index.js'),
);
cpSync(join(ROOT, 'shared/client/dist/types'), join(ROOT, 'dist/testing/client'), { recursive: true });
rmSync(folder, { recursive: true });
