/** AsyncAPI 3.0 for the socket, derived from the contract's commands and events. */
import type { CommandDeclaration, EventDeclaration } from '../../shared/contract/define.ts';
import { commands, events } from '../../shared/contract/index.ts';
import { INFO } from './document-parts.ts';
import { createSchemas, ERROR, type Schemas, typeName } from './document-schemas.ts';
import { exampleOf } from './openapi-answers.ts';

const CHANNEL = { $ref: '#/channels/socket' };

/** The messages and operations of one command or event, by name. */
interface Part {
  messages: Record<string, object>;
  operations: Record<string, object>;
}

/** @returns the document: commands, which the server receives and acknowledges, and events, which it sends */
export function describeSocket(): object {
  const schemas = createSchemas();
  const parts = [
    ...Object.entries<CommandDeclaration>(commands).map((entry) => describeCommand(entry, schemas)),
    ...Object.entries<EventDeclaration>(events).map((entry) => describeEvent(entry, schemas)),
  ];
  const domains = [...new Set([...Object.keys(commands), ...Object.keys(events)].map(domainOf))];
  return {
    asyncapi: '3.0.0',
    id: 'urn:letsapp:socket',
    info: {
      ...INFO,
      description:
        'Socket.IO 4, default namespace. `auth: { token, device_info? }` at the handshake. Each message is a Socket.IO ' +
        'event by its name with one payload; commands are answered by their acknowledgement callback.',
      tags: domains.map((name) => ({ name, description: `Commands and events: \`${name}\`.` })),
    },
    defaultContentType: 'application/json',
    servers: {
      own: {
        host: '{host}',
        pathname: '/socket.io',
        protocol: 'wss',
        description: 'The server that this document comes from; `ws` where it serves without TLS.',
        variables: { host: { default: 'localhost:3000', description: 'Its name, and its port where there is one.' } },
        security: [{ $ref: '#/components/securitySchemes/access_token' }],
      },
    },
    channels: {
      socket: {
        address: '/',
        title: 'The Socket.IO connection',
        description: 'The default namespace of Socket.IO. Every message of a user goes over it.',
        servers: [{ $ref: '#/servers/own' }],
        messages: Object.assign({}, ...parts.map(({ messages }) => messages)),
      },
    },
    operations: Object.assign({}, ...parts.map(({ operations }) => operations)),
    components: {
      securitySchemes: {
        access_token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The access token, as `auth.token` of the handshake.',
        },
      },
      schemas: schemas.components(),
    },
  };
}

function describeCommand([name, declared]: [string, CommandDeclaration], schemas: Schemas): Part {
  const { summary, payload, data, example, errors } = declared;
  const answer = `${name}.ack`;
  const type = typeName(name);
  const tags = tagsOf(name);
  return {
    messages: {
      [name]: {
        name,
        title: name,
        summary,
        tags,
        payload: schemas.named(`${type}Payload`, payload),
        examples: [{ name: 'sent', payload: example.payload }],
      },
      [answer]: {
        name: answer,
        title: `The acknowledgement of ${name}`,
        summary: 'Success with data, or the refusal.',
        tags,
        payload: {
          oneOf: [
            acknowledgement(true, { data: schemas.named(`${type}Data`, data) }),
            acknowledgement(false, (schemas.describe(ERROR[1]) as { properties: Record<string, unknown> }).properties),
          ],
        },
        examples: [
          { name: 'done', payload: { ok: true, data: example.data } },
          { name: 'refused', payload: { ok: false, error: exampleOf('validation_failed') } },
        ],
      },
    },
    operations: {
      [name]: {
        action: 'receive',
        title: name,
        summary,
        tags,
        channel: CHANNEL,
        messages: [reference(name)],
        // The acknowledgement comes back by the callback of the very packet: there is no address to reply to.
        reply: { channel: CHANNEL, messages: [reference(answer)] },
        'x-errors': errors,
      },
    },
  };
}

function describeEvent([name, { summary, payload, example }]: [string, EventDeclaration], schemas: Schemas): Part {
  // A command and an event may share a name: `call:signal`.
  const key = `${name}.event`;
  const tags = tagsOf(name);
  return {
    messages: {
      [key]: {
        name,
        title: name,
        summary,
        tags,
        payload: schemas.named(`${typeName(name)}Event`, payload),
        examples: [{ name: 'told', payload: example }],
      },
    },
    operations: {
      [key]: { action: 'send', title: name, summary, tags, channel: CHANNEL, messages: [reference(key)] },
    },
  };
}

const domainOf = (name: string) => name.split(':')[0]!;
const tagsOf = (name: string) => [{ name: domainOf(name) }];

function reference(message: string): object {
  return { $ref: `#/channels/socket/messages/${message}` };
}

function acknowledgement(ok: boolean, properties: Record<string, unknown>): object {
  return {
    type: 'object',
    required: ['ok', ...Object.keys(properties)],
    properties: { ok: { type: 'boolean', const: ok }, ...properties },
  };
}
