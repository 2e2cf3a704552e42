/** How esbuild bundles programs that run on Node: build.mjs's own, and those of the tests. */
import { fileURLToPath } from 'node:url';

export const BUNDLE = {
  absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Beside the entries, never below: `server/lib/project-file.ts` and `server/lib/thread-file.ts` go by that.
  chunkNames: '[name]-[hash]',
  // V8 keeps the text in memory, in two bytes for each character if only one is beyond Latin-1: many comments have some.
  minifyWhitespace: true,
  legalComments: 'external',
  // Short enough that a stack trace tells where.
  lineLimit: 120,
  // For `node --enable-source-maps`.
  sourcemap: 'linked',
  sourcesContent: false,
  // What holds native code or starts threads of its own.
  external: ['fs-native-extensions', 'lmdb', 'sharp', 'tinypool'],
  // Packages in CommonJS ask for Node's own modules by `require`.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'warning',
};
