/** The shape of a command to the store: what it is and by which fields it finds its documents, whatever their values. */
import type { Document } from 'mongodb';
import type { WireCommand } from '../support/op-msg.ts';

/** @returns for example `update memberships by conversation_id, user_id` */
export function shapeOf({ name, collection, body }: WireCommand): string {
  const fields = Object.keys(filterOf(name, body) ?? {}).sort();
  const named = `${name} ${collection}`;
  return fields.length > 0 ? `${named} by ${fields.join(', ')}` : named;
}

/** The first filter of a command: those of one command look alike. */
function filterOf(name: string, body: Document): Document | undefined {
  switch (name) {
    case 'find':
      return body.filter;
    case 'count':
    case 'distinct':
    case 'findAndModify':
      return body.query;
    case 'update':
      return body.updates?.[0]?.q;
    case 'delete':
      return body.deletes?.[0]?.q;
    case 'aggregate':
      return body.pipeline?.[0]?.$match;
    default:
      return undefined;
  }
}

/** @returns how often each shape occurs, the most frequent first: `insert messages × 2` */
export function tally(shapes: string[]): string[] {
  const counts = new Map<string, number>();
  for (const shape of shapes) counts.set(shape, (counts.get(shape) ?? 0) + 1);
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([shape, count]) => (count === 1 ? shape : `${shape} × ${count}`));
}
