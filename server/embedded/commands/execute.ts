import type { Session } from '../auth/session.ts';
import type { Engine } from '../storage/engine.ts';
import { type Doc, encode } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { int } from '../values/numbers.ts';
import type { CommandRequest } from '../wire/message.ts';
import { aggregate } from './aggregate.ts';
import { collMod, create, drop } from './collections.ts';
import type { Command } from './command.ts';
import { copyDatabase } from './copy-database.ts';
import { count } from './count.ts';
import { getMore, killCursors } from './cursors.ts';
import { dropDatabase, listCollections, listDatabases } from './databases.ts';
import { deleteCommand } from './delete.ts';
import { distinct } from './distinct.ts';
import { explain } from './explain.ts';
import { checkFields } from './fields.ts';
import { find } from './find.ts';
import { findAndModify } from './find-and-modify.ts';
import { buildInfo, endSessions, hello, ping } from './handshake.ts';
import { createIndexes, dropIndexes, listIndexes } from './indexes.ts';
import { insert } from './insert.ts';
import { moveDatabase } from './move-database.ts';
import { saslContinue, saslStart } from './sasl.ts';
import { update } from './update.ts';

/** The commands by the names under which drivers send them. */
const COMMANDS: Record<string, Command> = {
  hello,
  isMaster: hello,
  ismaster: hello,
  ping,
  endSessions,
  saslStart,
  saslContinue,
  buildInfo,
  buildinfo: buildInfo,
  find,
  aggregate,
  getMore,
  killCursors,
  count,
  distinct,
  explain,
  insert,
  update,
  delete: deleteCommand,
  findAndModify,
  create,
  collMod,
  drop,
  dropDatabase,
  listCollections,
  listDatabases,
  createIndexes,
  listIndexes,
  dropIndexes,
  copyDatabase,
  moveDatabase,
};

/** Runs a command and encodes its reply. Whatever goes wrong becomes MongoDB's error reply. */
export async function execute(engine: Engine, request: CommandRequest, session: Session): Promise<Uint8Array> {
  try {
    const command = Object.hasOwn(COMMANDS, request.name) ? COMMANDS[request.name] : undefined;
    if (command === undefined) throw new Fault(59, `no such command: '${request.name}'`);
    if (!command.isOpen && !session.isAuthenticated()) {
      throw new Fault(13, `command ${request.name} requires authentication`);
    }
    checkFields(request, command.fields);
    const reply = await command.run(engine, request, session);
    return reply instanceof Uint8Array ? reply : encode({ ...reply, ok: 1 });
  } catch (error) {
    return encode(errorReply(error));
  }
}

/** The error reply for a fault. Anything else is a bug or a broken disk, and becomes InternalError. */
export function errorReply(error: unknown): Doc {
  const fault = error instanceof Fault ? error : new Fault(1, error instanceof Error ? error.message : String(error));
  return { ok: 0, errmsg: fault.message, code: int(fault.code), codeName: fault.codeName, ...fault.extra };
}
