/** Commands over HTTP (PROTOCOL section 11): the contract's declarations as routes, dispatched as on the socket. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { CommandDeclaration } from '../../shared/contract/define.ts';
import { type CommandName, commands } from '../../shared/contract/index.ts';
import { type Caller, createTurns } from '../dispatch/caller.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import type { AuthenticationHook } from './authentication.ts';
import { sendError } from './error-answers.ts';

export interface CommandRoutesOptions {
  dispatch: Dispatch;
  authenticate: AuthenticationHook;
}

/** Registers `POST /api/<domain>/<action>` for every command that needs no connection. */
export function registerCommandRoutes(app: FastifyInstance, { dispatch, authenticate }: CommandRoutesOptions): void {
  for (const [name, declaration] of Object.entries(commands) as [CommandName, CommandDeclaration][]) {
    if (declaration.device_only) continue;
    const schema = {
      summary: declaration.summary,
      body: declaration.payload,
      response: { 200: Type.Object({ data: declaration.data }) },
      errors: declaration.errors,
      example: { body: declaration.example.payload, answer: { data: declaration.example.data } },
    };
    app.post(
      pathOf(name),
      // The schema serves the published documents only: dispatch validates, in the order of its steps.
      { schema, onRequest: authenticate, validatorCompiler: () => () => true },
      async (request, reply) => {
        const result = await dispatch(callerOf(request), name, [request.body], request.dueAt);
        return result.ok ? { data: result.data } : sendError(reply, result.error);
      },
    );
  }
}

/** `message:send` is `/api/message/send`, `sync` is `/api/sync`. */
function pathOf(name: CommandName): string {
  return `/api/${name.replace(':', '/')}`;
}

/** A caller without a socket: all devices of the user get the events. */
function callerOf({ caller: { userId, id, sessionId } }: FastifyRequest): Caller {
  return { userId, id, sessionId, socketId: undefined, inTurn: createTurns() };
}
