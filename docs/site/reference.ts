/** The reference of the socket, in Markdown, from the declarations of the contract. */
import { createSchemas, type Schemas } from '../../server/observability/document-schemas.ts';
import { COMMON_ERRORS, type CommandDeclaration, type EventDeclaration } from '../../shared/contract/define.ts';
import { ERROR_STATUS } from '../../shared/contract/errors.ts';
import { commands, events } from '../../shared/contract/index.ts';
import { schemaTable } from './schema-tables.ts';

const RATES: Record<CommandDeclaration['rate'], string> = {
  command: 'that of the connection',
  message: 'messages of the user',
  call: 'calls of the user',
  contact_request: 'contact requests of the user',
  user_search: 'searches for users',
  new_group: 'new groups of the user',
  invite_code: 'codes of invitations that the user tries',
};

/** @returns one section for each command and event, by domain, then the documents that they hold */
export function describeReference(): string {
  const schemas = createSchemas();
  const domains = [...new Set([...Object.keys(commands), ...Object.keys(events)].map(domainOf))];
  const sections = domains.flatMap((domain) => [
    `## ${domain}\n`,
    ...ofDomain<CommandDeclaration>(domain, commands).map(([name, declared]) =>
      describeCommand(name, declared, schemas),
    ),
    ...ofDomain<EventDeclaration>(domain, events).map(([name, declared]) => describeEvent(name, declared, schemas)),
  ]);
  return [INTRODUCTION, ...sections, '## Documents\n', ...describeDocuments(schemas)].join('\n');
}

const INTRODUCTION = `# Commands and events

What goes over the socket, made from the declarations that the server validates and dispatches by. The rules behind it are
in the [protocol](protocol.md), the machine's version at [\`/asyncapi.json\`](/asyncapi.json). A property with \`?\` may be
left out. Commands are answered \`{ "ok": true, "data": … }\` or \`{ "ok": false, "error": { "code", "message", "details"? } }\`.

Any command may be refused with ${COMMON_ERRORS.map((code) => `\`${code}\``).join(', ')}. Over HTTP the codes have a status:
${Object.entries(ERROR_STATUS)
  .map(([code, status]) => `\`${code}\` ${status}`)
  .join(', ')}.

**Cost** is what a command takes from the user's budget of points, by what it asks of the store; **rate** names the budget of
requests that it draws on ([protocol, section 10](protocol.md)).
`;

const domainOf = (name: string) => name.split(':')[0]!;

function ofDomain<D>(domain: string, all: Record<string, D>): [string, D][] {
  return Object.entries(all).filter(([name]) => domainOf(name) === domain);
}

function describeCommand(name: string, declared: CommandDeclaration, schemas: Schemas): string {
  const { summary, payload, data, example, errors, rate, cost, draws } = declared;
  const points =
    typeof cost === 'number' ? `${cost}` : `${cost(example.payload)} for the example: by how much is asked for`;
  const facts = [
    declared.device_only ? 'Only over the socket.' : `Over HTTP: \`POST /api/${name.replace(':', '/')}\`.`,
    `Refusals of its own: ${errors.length > 0 ? errors.map((code) => `\`${code}\``).join(', ') : 'none'}.`,
    `Rate: ${RATES[rate] ?? rate}. Cost: ${points}.`,
    ...(draws ? [`Each different entry of \`${draws.of}\` counts as one of ${draws.list.replace('_', ' ')}.`] : []),
    ...(declared.of_session ? ['Belongs to the session: there is none for a server key.'] : []),
    ...(declared.sheddable ? ['Refused first when the server is overloaded.'] : []),
  ];
  return [
    `### ${name}\n`,
    `${summary}\n`,
    ...facts.map((fact) => `- ${fact}`),
    '\n**Payload**\n',
    schemaTable(schemas.describe(payload)),
    '\n**Answer**\n',
    schemaTable(schemas.describe(data)),
    '\n**Example**\n',
    json(example.payload),
    json({ ok: true, data: example.data }),
  ].join('\n');
}

function describeEvent(name: string, { summary, payload, example }: EventDeclaration, schemas: Schemas): string {
  return [
    `### Event ${name}\n`,
    `${summary}\n`,
    '**Payload**\n',
    schemaTable(schemas.describe(payload)),
    '\n**Example**\n',
    json(example),
  ].join('\n');
}

function describeDocuments(schemas: Schemas): string[] {
  return Object.entries(schemas.components()).map(([name, schema]) => `### ${name}\n\n${schemaTable(schema)}`);
}

function json(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\`\n`;
}
