import type { Engine } from '../storage/engine.ts';
import { Fault } from '../values/fault.ts';
import { isNumber } from '../values/numbers.ts';
import type { CommandRequest } from '../wire/message.ts';
import { encodeBatch } from './batch-reply.ts';
import { type Command, targetOf } from './command.ts';
import { countField, deadlineOf, docField } from './fields.ts';
import { type Pipeline, preparePipeline, runPipeline } from './pipeline.ts';

/** The pipeline of an `aggregate` command. */
export function aggregatePipeline(engine: Engine, request: CommandRequest): Pipeline {
  const { pipeline, hint } = request.body;
  return preparePipeline(engine, targetOf(request), pipeline, hint);
}

export const aggregate: Command = {
  fields: ['pipeline', 'cursor', 'allowDiskUse', 'hint', 'bypassDocumentValidation'],
  run: (engine, request) => {
    const { body } = request;
    if (isNumber(body.aggregate)) throw new Fault(73, '{aggregate: 1} is not valid for the stages of this database');
    const cursor = docField(body, 'cursor');
    if (cursor === undefined) {
      throw new Fault(9, "The 'cursor' option is required, except for aggregate with the explain argument");
    }
    const pipeline = aggregatePipeline(engine, request);
    const items = runPipeline(engine, pipeline, deadlineOf(body));
    return encodeBatch(engine.cursors.open(pipeline.query.namespace, items, countField(cursor, 'batchSize')));
  },
};
