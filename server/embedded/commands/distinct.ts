import { partOf } from '../plan/found.ts';
import { compileFilter } from '../query/match.ts';
import { compare } from '../values/compare.ts';
import { Fault } from '../values/fault.ts';
import { reach } from '../values/paths.ts';
import { selectionOf } from '../values/raw.ts';
import { type Command, targetOf } from './command.ts';
import { deadlineOf, docField } from './fields.ts';
import { prepareQuery, runQuery } from './query.ts';

export const distinct: Command = {
  fields: ['key', 'query', 'hint'],
  run: (engine, request) => {
    const { body } = request;
    if (typeof body.key !== 'string') {
      throw new Fault(14, "BSON field 'distinct.key' is the wrong type, expected type 'string'");
    }
    const parts = body.key.split('.');
    const fields = selectionOf([parts[0]!], true);
    const filter = compileFilter(docField(body, 'query'));
    const query = prepareQuery(engine, targetOf(request), { filter, hint: body.hint });
    const values: unknown[] = [];
    for (const item of runQuery(engine, query, deadlineOf(body))) {
      for (const value of reach(partOf(item, fields), parts)) {
        if (Array.isArray(value)) values.push(...value);
        else if (value !== undefined) values.push(value);
      }
    }
    values.sort(compare);
    return { values: values.filter((value, at) => at === 0 || compare(value, values[at - 1]) !== 0) };
  },
};
