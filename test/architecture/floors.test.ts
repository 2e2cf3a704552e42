/** The house of docs/architecture.md, checked on the imports themselves: they run downwards only. */
import { describe, expect, it } from 'vitest';
import { circles, type Import, importsOf, lineCount, sourceFiles } from './imports.ts';

/** The rooms, floor by floor, from the ground up. A room imports from floors below its own. */
const FLOORS = [
  ['shared/contract'],
  ['shared/client', 'server/lib', 'server/embedded'],
  ['server/web'],
  ['server/config'],
  ['server/config.ts'],
  ['server/model'],
  ['server/bus', 'server/cluster'],
  ['server/conversations', 'server/outbox'],
  ['server/delivery'],
  ['server/dispatch'],
  ['server/http', 'server/observability'],
  ['server/gateway'],
  [
    'server/accounts',
    'server/contacts',
    'server/presence',
    'server/groups',
    'server/messages',
    'server/inbox',
    'server/calls',
    'server/media',
    'server/webhooks',
    'server/push',
    'server/operator',
  ],
  ['server/tool-store.ts'],
  ['server/doctor', 'server/backup', 'server/export', 'server/move', 'server/keys.ts'],
  ['server/tools.ts'],
  ['server/foundation.ts'],
  ['server/domains.ts'],
  ['server/edges.ts'],
  ['server/app.ts'],
  ['server/main.ts', 'server/keys.ts'],
  ['server/letsapp.ts', 'server/testing'],
];
const ROOMS = FLOORS.flat();
/** Long because they are tables or declarations, not logic. */
const TABLES = ['server/model/indexes.ts', 'server/calls/machine.ts', 'shared/contract/documents.ts'];

const files = sourceFiles(['server', 'shared']);
const imports = files.flatMap(importsOf);
const roomOf = (file: string) => ROOMS.find((room) => file === room || file.startsWith(`${room}/`));
const floorOf = (file: string) => FLOORS.findIndex((rooms) => rooms.includes(roomOf(file)!));
const written = ({ from, to }: Import) => `${from} -> ${to}`;

/** Imports into a room that is not on a lower floor. */
const wrongAmong = (some: Import[]) =>
  some.filter(({ from, to }) => roomOf(from) !== roomOf(to) && floorOf(from) <= floorOf(to));

describe('the house', () => {
  it('has a room for every source file', () => {
    expect(files.filter((file) => roomOf(file) === undefined)).toEqual([]);
  });

  it('has imports that run downwards only, and never into a room on the same floor', () => {
    expect(wrongAmong(imports).map(written)).toEqual([]);
  });

  it('has no files that import each other in a circle', () => {
    expect(circles(imports.map(({ from, to }) => [from, to]))).toEqual([]);
  });

  it('has no folders that import each other in a circle, within a room either', () => {
    const folder = (file: string) => file.slice(0, file.lastIndexOf('/'));
    const between = imports
      .map(({ from, to }): [string, string] => [folder(from), folder(to)])
      .filter(([from, to]) => from !== to && from !== 'server' && !from.startsWith(`${to}/`));
    expect(circles(between)).toEqual([]);
  });

  it('keeps the embedded database apart: it imports nothing of the server, and only programs import it', () => {
    const isInside = (file: string) => file.startsWith('server/embedded/');
    const crossing = imports.filter(({ from, to }) => isInside(from) !== isInside(to));
    expect([...new Set(crossing.map(({ from }) => from))]).toEqual(['server/main.ts', 'server/tool-store.ts']);
  });

  it('would be found out by the first arrow up, into a neighbour, or round in a circle', () => {
    const arrow = (from: string, to: string) => ({ from: `server/${from}`, to: `server/${to}` });
    const up = arrow('bus/bus.ts', 'groups/domain.ts');
    const aside = arrow('groups/domain.ts', 'calls/domain.ts');
    const down = arrow('groups/domain.ts', 'bus/bus.ts');
    expect(wrongAmong([up, aside, down])).toEqual([up, aside]);
    expect(
      circles([
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'a'],
        ['c', 'd'],
      ]),
    ).toEqual([['a', 'b', 'c']]);
  });
});

describe('files', () => {
  const sizes = files.filter((file) => !TABLES.includes(file)).map((file) => ({ file, lines: lineCount(file) }));
  const share = (most: number) => sizes.filter(({ lines }) => lines <= most).length / sizes.length;

  it('have at most 300 lines, nine in ten at most 200, half at most 80', () => {
    expect(sizes.filter(({ lines }) => lines > 300)).toEqual([]);
    expect(share(200)).toBeGreaterThanOrEqual(0.9);
    expect(share(80)).toBeGreaterThanOrEqual(0.5);
  });
});
