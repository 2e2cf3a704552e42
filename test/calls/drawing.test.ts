/**
 * Draws `docs/calls-states.md` from the table of the state machine, and fails when the file differs. To update it:
 * `npx vitest run test/calls/drawing.test.ts -u`.
 */
import path from 'node:path';
import { expect, it } from 'vitest';
import { TABLE } from '../../server/calls/machine.ts';

const FILE = path.join(import.meta.dirname, '../../docs/calls-states.md');

type Row = (typeof TABLE)[number];

const FINAL = ['ended', 'missed', 'rejected'];

/** One arrow for each pair of states, labelled with every event that leads along it. */
function diagram(): string {
  const arrows = new Map<string, Set<string>>([['[*] --> initiated', new Set(['initiate'])]]);
  arrows.set('[*] --> missed', new Set(['initiate [callee busy] / busy']));
  for (const row of TABLE) {
    if (row.refuse || (!row.to && !row.tell)) continue;
    for (const from of row.in) {
      const arrow = `${from} --> ${row.to ?? from}`;
      const labels = arrows.get(arrow) ?? new Set();
      const guards = row.when ? ` [${row.when.join(', ')}]` : '';
      labels.add(`${row.on.join(' | ')}${guards}${row.tell ? ` / ${row.tell}` : ''}`);
      arrows.set(arrow, labels);
    }
  }
  const lines = [...arrows].map(([arrow, labels]) => `    ${arrow} : ${[...labels].join('<br>')}`);
  return ['stateDiagram-v2', ...lines, ...FINAL.map((state) => `    ${state} --> [*]`)].join('\n');
}

function table(): string {
  const consequence = (row: Row) => {
    if (row.refuse) return `refused: \`${row.refuse.code}\``;
    const effect = row.effect ? [row.effect.name] : [];
    return [...(row.to ? [`→ ${row.to}`] : []), ...effect].join(', ') || 'nothing';
  };
  const lines = TABLE.map((row) => {
    const states = row.in.length === 6 ? 'any' : row.in.join(', ');
    return `| ${row.on.join(', ')} | ${states} | ${row.when?.join(', ') ?? ''} | ${consequence(row)} | ${row.tell ?? ''} |`;
  });
  return ['| event | in state | guards | then | reason |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}

it('docs/calls-states.md is drawn from the table', async () => {
  const drawing = `# States of a call

Drawn from the table in \`server/calls/machine.ts\` by a test. A label reads: event [guards] / reason of the
\`call:updated\` that tells of it.

\`\`\`mermaid
${diagram()}
\`\`\`

## The table

The first row that matches applies. When none matches, the command succeeds and changes nothing.

${table()}
`;
  await expect(drawing).toMatchFileSnapshot(FILE);
});
