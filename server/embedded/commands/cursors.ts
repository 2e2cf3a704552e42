import { Long } from 'bson';
import { namespaceOf } from '../storage/collection.ts';
import { Fault } from '../values/fault.ts';
import { isLong } from '../values/numbers.ts';
import { encodeBatch } from './batch-reply.ts';
import type { Command } from './command.ts';
import { countField } from './fields.ts';

export const getMore: Command = {
  fields: ['collection', 'batchSize'],
  run: (engine, { database, body }) => {
    if (!isLong(body.getMore)) throw new Fault(14, "Field 'getMore' must be of type long");
    const namespace = namespaceOf(database, body.collection);
    return encodeBatch(engine.cursors.next(body.getMore, namespace, countField(body, 'batchSize') || undefined));
  },
};

export const killCursors: Command = {
  fields: ['cursors'],
  run: (engine, { body }) => {
    const ids = Array.isArray(body.cursors) ? body.cursors.filter((id) => Long.isLong(id)) : [];
    const cursorsKilled = ids.filter((id) => engine.cursors.close(id));
    const cursorsNotFound = ids.filter((id) => !cursorsKilled.includes(id));
    return { cursorsKilled, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [] };
  },
};
