/** The contract as an app gets it: plain JSON Schemas, and types that are written out. */

/** The names of the documents, by their schemas. */
function namesOf({ documents, accounts }) {
  const named = [...Object.entries(documents), ['SignedIn', accounts.SignedIn], ['Tokens', accounts.Tokens]];
  return new Map(
    named.filter(([name, value]) => /^[A-Z]/.test(name) && isSchema(value)).map(([name, value]) => [value, name]),
  );
}

const isSchema = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && ('type' in value || 'anyOf' in value);

/** @returns the module of JSON Schemas: `commands`, `events`, `documents`, and the codes of errors by HTTP status */
export function contractSchemas(contract) {
  const names = namesOf(contract);
  const { commands, events } = contract.index;
  const documents = inOrder(names).map(
    (schema) => `export const ${names.get(schema)} = ${text(schema, names, schema)};`,
  );
  const all = (declarations, parts) =>
    Object.entries(declarations).map(([name, declared]) => {
      const fields = parts.map((part) => `${part}: ${text(declared[part], names)}`);
      return `  ${JSON.stringify(name)}: { summary: ${JSON.stringify(declared.summary)}, ${fields.join(', ')} },`;
    });
  return [
    '/** The contract as JSON Schemas (draft 7 and later). Made from the declarations of the server. */',
    ...documents,
    `export const documents = { ${[...names.values()].join(', ')} };`,
    '/** By name: the payload, and the data of a success. */',
    'export const commands = {',
    ...all(commands, ['payload', 'data']),
    '};',
    'export const events = {',
    ...all(events, ['payload']),
    '};',
    `export const ERROR_STATUS = ${JSON.stringify(contract.errors.ERROR_STATUS)};`,
    '',
  ].join('\n');
}

/** Each schema behind those that it is made of. */
function inOrder(names) {
  const ordered = new Set();
  const visit = (value) => {
    if (typeof value !== 'object' || value === null) return;
    for (const part of Object.values(value)) visit(part);
    if (names.has(value)) ordered.add(value);
  };
  for (const schema of names.keys()) visit(schema);
  return [...ordered];
}

/** The text of a schema in standard terms. What has a name of its own is named. */
function text(value, names, self) {
  if (Array.isArray(value)) return `[${value.map((each) => text(each, names)).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (value !== self && names.has(value)) return names.get(value);
  const { maxBytes, minBytes, displayName, isMetadata, ...standard } = value;
  const fields = Object.entries(standard).filter(([key]) => !key.startsWith('~'));
  if (standard.format === 'timestamp') fields[fields.findIndex(([key]) => key === 'format')] = ['format', 'date-time'];
  if (maxBytes !== undefined) fields.push(['maxLength', maxBytes]);
  return `{ ${fields.map(([key, each]) => `${JSON.stringify(key)}: ${text(each, names)}`).join(', ')} }`;
}

/** @returns the declarations of `letsapp-client/contract` */
export function contractDeclarations(contract) {
  const names = namesOf(contract);
  const { commands, events } = contract.index;
  const codes = Object.keys(contract.errors.ERROR_STATUS);
  const members = (declarations, write) =>
    Object.entries(declarations).map(
      ([name, declared]) => `  /** ${declared.summary} */\n  ${JSON.stringify(name)}: ${write(declared)};`,
    );
  return [
    '/** The contract: what goes over the wire. Made from the declarations of the server. */',
    ...[...names].map(([schema, name]) => `export type ${name} = ${typeOf(schema, names, schema)};`),
    `export type ErrorCode = ${codes.map((code) => JSON.stringify(code)).join(' | ')};`,
    'export interface WireError { code: ErrorCode; message: string; details?: unknown }',
    'export type Ack<D> = { ok: true; data: D } | { ok: false; error: WireError };',
    '/** Whom something is for: a user or a group, never both. */',
    'export type Target = { recipient_id: string; group_id?: never } | { group_id: string; recipient_id?: never };',
    'export interface Commands {',
    ...members(commands, ({ payload, data }) => `{ payload: ${typeOf(payload, names)}; data: ${typeOf(data, names)} }`),
    '}',
    'export interface Events {',
    ...members(events, ({ payload }) => typeOf(payload, names)),
    '}',
    'export type CommandName = keyof Commands;',
    'export type EventName = keyof Events;',
    "export type CommandPayload<N extends CommandName> = Commands[N]['payload'];",
    "export type CommandData<N extends CommandName> = Commands[N]['data'];",
    'export type EventPayload<N extends EventName> = Events[N];',
    'export interface JsonSchema { [keyword: string]: unknown }',
    `export declare const documents: Record<${[...names.values()].map((name) => JSON.stringify(name)).join(' | ')}, JsonSchema>;`,
    ...[...names.values()].map((name) => `export declare const ${name}: JsonSchema;`),
    'export declare const commands: { [N in CommandName]: { summary: string; payload: JsonSchema; data: JsonSchema } };',
    'export declare const events: { [N in EventName]: { summary: string; payload: JsonSchema } };',
    'export declare const ERROR_STATUS: Record<ErrorCode, number>;',
    '',
  ].join('\n');
}

const PRIMITIVES = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null' };

/** The TypeScript type of a schema. */
function typeOf(schema, names, self) {
  if (schema !== self && names.has(schema)) return names.get(schema);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf) return schema.anyOf.map((each) => typeOf(each, names)).join(' | ');
  if (schema.type === 'array') return `Array<${typeOf(schema.items, names)}>`;
  if (schema.type === 'object') return typeOfObject(schema, names);
  return PRIMITIVES[schema.type] ?? 'unknown';
}

function typeOfObject(schema, names) {
  const { properties, patternProperties = {}, required = [], oneOf, not } = schema;
  const [pattern] = Object.values(patternProperties);
  if (!properties) return pattern ? `Record<string, ${typeOf(pattern, names)}>` : 'Record<string, unknown>';
  const ways = alternatives(oneOf, not);
  const exclusive = [...new Set(ways.flat())];
  const field = (name, isNeeded) => `${name}${isNeeded ? '' : '?'}: ${typeOf(properties[name], names)}`;
  const rest = Object.keys(properties).filter((name) => !exclusive.includes(name));
  const common = `{ ${rest.map((name) => field(name, required.includes(name))).join('; ')} }`;
  if (ways.length === 0) return rest.length === 0 ? 'Record<string, never>' : common;
  const union = ways.map((way) => {
    const fields = exclusive.map((name) => (way.includes(name) ? field(name, true) : `${name}?: never`));
    return `{ ${fields.join('; ')} }`;
  });
  const choice = union.length > 1 ? `(${union.join(' | ')})` : union[0];
  return rest.length === 0 ? choice : `${common} & ${choice}`;
}

/** Which properties exclude each other: one of them has to be there (`oneOf`), or at most one (`not`). */
function alternatives(oneOf, not) {
  const isChoice = oneOf?.length > 1 && oneOf.every(({ required }) => required?.length === 1);
  if (isChoice) return oneOf.map(({ required }) => required);
  return not?.required?.length > 1 ? [...not.required.map((name) => [name]), []] : [];
}
