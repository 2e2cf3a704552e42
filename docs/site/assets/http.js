// Shows /openapi.json: each operation can be opened, and has its payload, answers and examples.
const place = document.getElementById('operations');

function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

function resolve(api, part) {
  const path = part?.$ref?.slice(2).split('/');
  return path ? path.reduce((inner, key) => inner[key], api) : part;
}

/** A text with its code between backticks. */
function texts(text) {
  return text.split('`').map((part, at) => (at % 2 === 0 ? part : element('code', {}, part)));
}

/** The type of a schema, in words; named ones once as a whole. */
function typeText(api, schema, depth = 0) {
  const plain = resolve(api, schema) ?? {};
  const name = schema?.$ref?.split('/').pop();
  if (name && depth > 1) return name;
  if (plain.anyOf) return plain.anyOf.map((one) => typeText(api, one, depth)).join('\n| ');
  if (plain.enum) return plain.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (plain.const !== undefined) return JSON.stringify(plain.const);
  if (plain.type === 'array') return `${typeText(api, plain.items, depth + 1)}[]`;
  const entries = Object.entries(plain.properties ?? {});
  if (entries.length === 0) return plain.contentMediaType ? 'bytes' : (plain.type ?? 'anything');
  const inset = '  '.repeat(depth + 1);
  const lines = entries.map(([key, part]) => {
    const mark = plain.required?.includes(key) ? '' : '?';
    return `${inset}${key}${mark}: ${typeText(api, part, depth + 1)}`;
  });
  return `{\n${lines.join('\n')}\n${'  '.repeat(depth)}}`;
}

function code(text) {
  return element('pre', { tabIndex: 0 }, element('code', {}, text));
}

function content(api, title, parts) {
  return Object.entries(parts ?? {}).flatMap(([type, { schema, example }]) => [
    element('h4', {}, `${title}: ${type}`),
    ...(schema ? [code(typeText(api, schema))] : []),
    ...(example === undefined ? [] : [element('p', {}, 'For example:'), code(JSON.stringify(example, null, 2))]),
  ]);
}

function access(security = []) {
  const ways = security.map((way) => Object.keys(way).join(' with ') || 'nobody');
  return ways.length === 0 ? 'Asks nobody to sign in.' : `Signed in by ${ways.join(', or ')}.`;
}

function operation(api, method, url, described) {
  const { operationId, summary, description, security, parameters, requestBody, responses } = described;
  const answers = Object.entries(responses).map(([status, answer]) => [status, resolve(api, answer)]);
  const successes = answers.filter(([status]) => status < '4');
  const refusals = answers
    .filter(([status]) => status >= '4')
    .map(([status, { description: why }]) => `${status}: ${why}`);
  const inputs = parameters.map(({ name, in: where, required }) => `${name} (${where}${required ? '' : ', optional'})`);
  return element(
    'details',
    { id: operationId, className: 'operation' },
    element(
      'summary',
      {},
      element('code', { className: 'method' }, method.toUpperCase()),
      ' ',
      element('code', {}, url),
      ' ',
      element('span', { className: 'what' }, ...texts(summary)),
    ),
    ...(description ? [element('p', {}, ...texts(description))] : []),
    element('p', {}, access(security)),
    ...(inputs.length > 0 ? [element('p', {}, `Parameters: ${inputs.join(', ')}.`)] : []),
    ...content(api, 'Body', requestBody?.content),
    ...successes.flatMap(([status, answer]) => [
      ...(answer.content ? [] : [element('h4', {}, `${status}: ${answer.description}`)]),
      ...content(api, status, answer.content),
    ]),
    element('h4', {}, 'Refusals'),
    element('ul', {}, ...refusals.map((text) => element('li', {}, ...texts(text)))),
  );
}

function show(api) {
  const all = Object.entries(api.paths).flatMap(([url, methods]) =>
    Object.entries(methods).map(([method, described]) => ({ tag: described.tags[0], method, url, described })),
  );
  const parts = api.tags.flatMap(({ name, description }) => [
    element('h2', { id: `tag-${name}` }, name.replaceAll('_', ' ')),
    element('p', {}, ...texts(description)),
    ...all
      .filter(({ tag }) => tag === name)
      .map(({ method, url, described }) => operation(api, method, url, described)),
  ]);
  place.replaceChildren(...parts);
  place.removeAttribute('aria-busy');
  const named = document.getElementById(location.hash.slice(1));
  if (named?.tagName === 'DETAILS') {
    named.open = true;
    named.scrollIntoView();
  }
}

fetch('/openapi.json')
  .then((response) => response.json())
  .then(show, () => {
    place.textContent = 'The server does not answer.';
  });
