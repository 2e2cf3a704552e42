import { countByIndex } from '../plan/scan.ts';
import { compileFilter } from '../query/match.ts';
import { toInteger } from '../values/integer.ts';
import { fromNumber } from '../values/numbers.ts';
import { type Command, targetOf } from './command.ts';
import { countField, deadlineOf, docField } from './fields.ts';
import { prepareQuery, runQuery } from './query.ts';

export const count: Command = {
  fields: ['query', 'limit', 'skip', 'hint'],
  run: (engine, request) => {
    const { body } = request;
    const query = prepareQuery(engine, targetOf(request), {
      filter: compileFilter(docField(body, 'query')),
      skip: countField(body, 'skip') ?? 0,
      limit: (body.limit === undefined ? 0 : Math.abs(toInteger(body.limit, 'limit'))) || Infinity,
      hint: body.hint,
    });
    const all = query.plan === undefined ? 0 : countByIndex(engine.storage, query.plan);
    if (all !== undefined) return { n: fromNumber(Math.min(Math.max(all - query.skip, 0), query.limit)) };
    let n = 0;
    for (const _ of runQuery(engine, query, deadlineOf(body))) n++;
    return { n: fromNumber(n) };
  },
};
