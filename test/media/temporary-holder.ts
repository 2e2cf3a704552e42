/** A process that holds a temporary file in the data folder it is given, and prints its name. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createLivingProcesses } from '../../server/media/storage/living-processes.ts';
import { createTemporaryFolder } from '../../server/media/storage/temporary-folder.ts';

const folder = process.argv[2]!;
const temporary = createTemporaryFolder(
  path.join(folder, 'uploads'),
  createLivingProcesses(path.join(folder, 'processes')),
);
await temporary.with(async (files) => {
  const file = files.newPath();
  await writeFile(file, 'x');
  console.log(path.basename(file));
  await new Promise((resolve) => setTimeout(resolve, 3_600_000));
});
