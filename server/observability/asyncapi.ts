/** AsyncAPI 3.0 for the socket, derived from the contract's commands and events. */
import type { TSchema } from 'typebox';
import type { CommandDeclaration, EventDeclaration } from '../../shared/contract/define.ts';
import { commands, events } from '../../shared/contract/index.ts';
import { ERROR_SCHEMA, INFO, toPlainSchema } from './document-parts.ts';

const CHANNEL = { $ref: '#/channels/socket' };

/** The messages and operations of one command or event, by name. */
interface Part {
  messages: Record<string, object>;
  operations: Record<string, object>;
}

/** @returns the document: commands, which the server receives and acknowledges, and events, which it sends */
export function describeSocket(): object {
  const parts = [
    ...Object.entries<CommandDeclaration>(commands).map(describeCommand),
    ...Object.entries<EventDeclaration>(events).map(describeEvent),
  ];
  return {
    asyncapi: '3.0.0',
    info: {
      ...INFO,
      description:
        'Socket.IO 4, default namespace. `auth: { token, device_info? }` at the handshake. Each message is a Socket.IO ' +
        'event by its name with one payload; commands are answered by their acknowledgement callback.',
    },
    defaultContentType: 'application/json',
    channels: {
      socket: {
        address: '/socket.io',
        title: 'The Socket.IO connection',
        messages: Object.assign({}, ...parts.map(({ messages }) => messages)),
      },
    },
    operations: Object.assign({}, ...parts.map(({ operations }) => operations)),
  };
}

function describeCommand([name, { summary, payload, data }]: [string, CommandDeclaration]): Part {
  const answer = `${name}.ack`;
  return {
    messages: {
      [name]: { name, summary, payload: toPlainSchema(payload) },
      [answer]: { name: `Acknowledgement of ${name}`, payload: acknowledgement(data) },
    },
    operations: {
      [name]: {
        action: 'receive',
        summary,
        channel: CHANNEL,
        messages: [reference(name)],
        reply: { channel: CHANNEL, messages: [reference(answer)] },
      },
    },
  };
}

function describeEvent([name, { summary, payload }]: [string, EventDeclaration]): Part {
  // A command and an event may share a name: `call:signal`.
  const key = `${name}.event`;
  return {
    messages: { [key]: { name, summary, payload: toPlainSchema(payload) } },
    operations: { [key]: { action: 'send', summary, channel: CHANNEL, messages: [reference(key)] } },
  };
}

function reference(message: string): object {
  return { $ref: `#/channels/socket/messages/${message}` };
}

function acknowledgement(data: TSchema): object {
  return {
    oneOf: [
      { type: 'object', required: ['ok', 'data'], properties: { ok: { const: true }, data: toPlainSchema(data) } },
      { type: 'object', required: ['ok', 'error'], properties: { ok: { const: false }, error: ERROR_SCHEMA } },
    ],
  };
}
