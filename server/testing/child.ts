/** The server of an app's tests: it ends with the process that started it, however that ends, and leaves nothing. */
import { rmSync } from 'node:fs';

const { LETSAPP_TEST_FOLDER: folder } = process.env;
process.on('exit', () => {
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
// The channel closes when the other process is gone, killed or not.
process.on('disconnect', () => process.exit(0));

await import('../main.ts');
