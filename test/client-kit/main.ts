/**
 * `npm run client-kit [-- PROGRAM ARGUMENT…]`: tries a client. The program is started with the task as its last argument,
 * JSON; without one the task is printed, for a client that is started by hand. Exits with 1 where something was wrong.
 */
import { spawn } from 'node:child_process';
import { startKit } from './kit.ts';

const [program, ...args] = process.argv.slice(2);
const kit = await startKit();
console.log(JSON.stringify(kit.task));
const child =
  program === undefined ? undefined : spawn(program, [...args, JSON.stringify(kit.task)], { stdio: 'inherit' });
const wrong = await kit.run();
child?.kill();
await kit.close();
for (const each of wrong) console.log(`wrong: the client ${each}`);
console.log(wrong.length === 0 ? 'The client conforms.' : `The client got ${wrong.length} wrong.`);
process.exit(wrong.length === 0 ? 0 : 1);
