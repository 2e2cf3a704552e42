/** Bundles the program of the host, and the threads of its servers, as build.mjs does for the server itself. */
import { build } from 'esbuild';
import { BUNDLE } from '../../../build-options.mjs';

await build({
  ...BUNDLE,
  // Two levels below the root, as `server/lib/project-file.ts` expects.
  outdir: 'node_modules/.test-host',
  entryPoints: {
    program: 'test/support/host/program.ts',
    'accounts/passwords/hashing-thread': 'server/accounts/passwords/hashing-thread.ts',
    'media/inspect/worker': 'server/media/inspect/worker.ts',
  },
});
