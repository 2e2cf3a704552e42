/** Schemas as tables of Markdown: one row for each property. */

interface PlainSchema {
  $ref?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: PlainSchema[];
  oneOf?: { required?: string[] }[];
  not?: { required?: string[] };
  allOf?: { not?: { required?: string[] }; anyOf?: { required?: string[] }[] }[];
  items?: PlainSchema;
  properties?: Record<string, PlainSchema>;
  required?: string[];
  additionalProperties?: boolean | PlainSchema;
  description?: string;
  [limit: string]: unknown;
}

const LIMITS: [string, (value: unknown) => string][] = [
  ['x-max-bytes', (value) => `≤ ${value} bytes`],
  ['x-min-bytes', (value) => (value === 0 ? '' : `≥ ${value} bytes`)],
  ['minLength', (value) => `≥ ${value} characters`],
  ['maxLength', (value) => `≤ ${value} characters`],
  ['minimum', (value) => `≥ ${value}`],
  ['maximum', (value) => (value === Number.MAX_SAFE_INTEGER ? '' : `≤ ${value}`)],
  ['minItems', (value) => `≥ ${value} entries`],
  ['maxItems', (value) => `≤ ${value} entries`],
];

/** @returns a table of the properties, a sentence where there are none */
export function schemaTable(schema: unknown): string {
  const plain = schema as PlainSchema;
  if (plain.$ref) return `A ${typeText(plain)}.\n`;
  if (plain.anyOf) return plain.anyOf.map((one) => schemaTable(one)).join('\nor\n\n');
  const properties = Object.entries(plain.properties ?? {});
  if (properties.length === 0) return `Nothing: \`{}\`.\n`;
  const rows = properties.map(([name, part]) => {
    const mark = plain.required?.includes(name) ? '' : '?';
    return `| \`${name}${mark}\` | ${typeText(part)} | ${notes(part)} |`;
  });
  return ['| property | type | |', '| --- | --- | --- |', ...rows, '', ...together(plain)].join('\n');
}

/** What holds for properties together. */
function together({ oneOf = [], not, allOf = [] }: PlainSchema): string[] {
  const names = (required: string[] = []) => required.map((name) => `\`${name}\``);
  const either = allOf.flatMap(({ anyOf = [] }) => (anyOf.every(({ required }) => required) ? [anyOf] : []));
  const excluded = [not, ...allOf.map((part) => part.not)].filter((part) => part?.required);
  return [
    ...(oneOf.length > 0 ? [`Exactly one of ${oneOf.map(({ required }) => names(required)).join(' and ')}.\n`] : []),
    ...either
      .filter((all) => all.length > 0)
      .map((all) => `At least one of ${all.map(({ required }) => names(required)).join(' and ')}.\n`),
    ...excluded.map((part) => `Not both ${names(part?.required).join(' and ')}.\n`),
  ];
}

function typeText(schema: PlainSchema): string {
  if (schema.$ref) {
    const name = schema.$ref.split('/').pop()!;
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {})}`;
  if (schema.properties) {
    const parts = Object.entries(schema.properties).map(([name, part]) => {
      return `\`${name}${schema.required?.includes(name) ? '' : '?'}\`: ${typeText(part)}`;
    });
    return `{ ${parts.join(', ')} }`;
  }
  if (typeof schema.additionalProperties === 'object') return `record of ${typeText(schema.additionalProperties)}`;
  return schema.format === 'date-time' ? 'time' : (schema.type ?? 'anything');
}

function notes(schema: PlainSchema): string {
  if (schema.pattern === '^[0-9a-f]{24}$') return 'id';
  // A time's length says nothing.
  const limits = schema.format === 'date-time' ? [] : LIMITS;
  const isInBytes = schema['x-max-bytes'] !== undefined;
  const texts = limits.map(([key, text]) => {
    return schema[key] === undefined || (isInBytes && key === 'maxLength') ? '' : text(schema[key]);
  });
  const pattern = schema.pattern === undefined ? '' : `\`${String(schema.pattern).replaceAll('|', '\\|')}\``;
  return [...texts, pattern, schema.description ?? ''].filter(Boolean).join(', ');
}
