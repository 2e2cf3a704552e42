#!/usr/bin/env node
/** `npx letsapp`: starts the server, or one of its tools. */
import { readFileSync } from 'node:fs';
import { projectFile } from './lib/project-file.ts';

const HELP = `letsapp: an open real-time chat and call-signaling server

  letsapp                 starts the server
  letsapp doctor          looks whether what is stored fits together
  letsapp backup FOLDER   makes a backup of DATA_DIR, also while a server uses it
  letsapp restore FOLDER  puts a backup into an empty DATA_DIR
  letsapp export --user ID [--to FOLDER]
                          writes what is stored of a user, to be handed out
  letsapp move --to URL   moves the embedded database to a MongoDB while the server serves
  letsapp keys            makes, lists and revokes server keys
  letsapp --help          shows this
  letsapp --version       shows the version

Everything is set by environment variables:

  HOST, PORT              where it listens (127.0.0.1, 3000; PORT=0 picks a free one)
  DATA_DIR                the folder for uploads and the embedded database (./data)
  MONGODB_URL             a MongoDB to use in place of the embedded database
  REDIS_URL               a Redis that connects several servers
  JWT_SECRET              signs access tokens (generated and kept in DATA_DIR; needed in production)
  CORS_ORIGINS            other origins whose pages may use it, separated by commas
  PUBLIC_URL              how clients reach it, for links
  LOG_LEVEL, NODE_ENV     info, development

All others are in docs/operations.md of the project.
`;

const [first, ...others] = process.argv.slice(2);
if (first === undefined) await import('./main.ts');
else if (first === '--help' || first === '-h') process.stdout.write(HELP);
else if (first === '--version' || first === '-v') process.stdout.write(`${version()}\n`);
else if (!first.startsWith('-')) await import('./tools.ts');
else {
  process.stderr.write(`letsapp: there is no ${[first, ...others].join(' ')}; letsapp --help says what there is\n`);
  process.exitCode = 2;
}

function version(): string {
  return (JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as { version: string }).version;
}
