import type { Engine } from '../engine.ts';
import { Fault } from '../errors.ts';
import { int } from '../reply.ts';
import type { Doc } from '../values.ts';
import { encode } from '../values.ts';
import { administration } from './administration.ts';
import type { Command, Request } from './command.ts';
import { checkFields } from './command.ts';
import { explaining } from './explain.ts';
import { handshake } from './handshake.ts';
import { indexing } from './indexes.ts';
import { reading } from './reading.ts';
import { writing } from './writing.ts';

const commands: Record<string, Command> = {
  ...handshake,
  ...reading,
  ...writing,
  ...explaining,
  ...administration,
  ...indexing,
};

/** Runs a command and encodes its reply; whatever goes wrong becomes MongoDB's error reply. */
export async function execute(engine: Engine, request: Request): Promise<Uint8Array> {
  try {
    const command = Object.hasOwn(commands, request.name) ? commands[request.name] : undefined;
    if (command === undefined) throw new Fault(59, `no such command: '${request.name}'`);
    checkFields(request, command.fields);
    const reply = await command.run(engine, request);
    return reply instanceof Uint8Array ? reply : encode({ ...reply, ok: 1 });
  } catch (error) {
    return encode(errorReply(error));
  }
}

/** The error reply for a fault; anything else is a bug or a broken disk, and says so. */
export function errorReply(error: unknown): Doc {
  const fault = error instanceof Fault ? error : new Fault(1, error instanceof Error ? error.message : String(error));
  return { ok: 0, errmsg: fault.message, code: int(fault.code), codeName: fault.codeName, ...fault.extra };
}
