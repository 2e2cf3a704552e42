import Type from 'typebox';
import { command, event } from './define.ts';
import { Self } from './documents.ts';
import { SENT, SESSION, self, tokens } from './examples.ts';
import { Closed, Id, Timestamp } from './values.ts';

/** The protocol's version, told in `session:ready`. */
export const PROTOCOL_VERSION = 1;

export const sessionCommands = {
  'auth:renew': command({
    summary: 'Replaces the access token of this connection by a newer one of the same session.',
    payload: Closed({ token: Type.String({ minLength: 1, maxLength: 16_384 }) }),
    data: Type.Object({ expires_in: Type.Integer() }),
    device_only: true,
    errors: ['unauthenticated'],
    example: { payload: { token: tokens.access_token }, data: { expires_in: 900 } },
  }),
};

export const sessionEvents = {
  'session:ready': event({
    summary: 'The connection is authenticated; events for the user arrive only after this one.',
    payload: Type.Object({
      user: Self,
      session_id: Id,
      socket_id: Type.String(),
      server_time: Timestamp,
      protocol: Type.Literal(PROTOCOL_VERSION),
    }),
    example: {
      user: self,
      session_id: SESSION,
      socket_id: 'x3kLmC2bQf0aAAAB',
      server_time: SENT,
      protocol: PROTOCOL_VERSION,
    },
  }),
  'session:expired': event({
    summary: 'The access token ran out and was not renewed; the connection closes.',
    payload: Type.Object({}),
    example: {},
  }),
  'session:revoked': event({
    summary: 'The session was ended; the connection closes.',
    payload: Type.Object({}),
    example: {},
  }),
  'server:draining': event({
    summary: 'The server is going down for a deploy: reconnect after the given time.',
    payload: Type.Object({ reconnect_in_ms: Type.Integer({ minimum: 0, maximum: 10_000 }) }),
    example: { reconnect_in_ms: 3200 },
  }),
};
