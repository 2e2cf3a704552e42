import { withId } from '../update/identity.ts';
import { type Doc, decode, encode } from '../values/document.ts';
import { int } from '../values/numbers.ts';
import { type Command, targetOf } from './command.ts';
import { flag } from './fields.ts';
import { checkBatchSize, eachStatement } from './statements.ts';
import { insertOne } from './storing.ts';

export const insert: Command = {
  fields: ['documents', 'ordered', 'bypassDocumentValidation'],
  run: (engine, request) => {
    const namespace = targetOf(request);
    const { documents, body } = request;
    checkBatchSize(documents.length);
    const bypass = flag(body, 'bypassDocumentValidation');
    const decoded = documents.map(withIdInFront);
    return engine.write(() => {
      let collection = engine.ensure(namespace);
      let n = 0;
      const errors = eachStatement(body, decoded, ({ doc, raw }) => {
        collection = insertOne(engine, collection, doc, raw, bypass);
        n++;
      });
      return { n: int(n), ...errors };
    });
  },
};

/** MongoDB stores the `_id` as the first field. */
function withIdInFront(raw: Uint8Array): { doc: Doc; raw: Uint8Array } {
  const doc = decode(raw);
  if (Object.keys(doc)[0] === '_id') return { doc, raw };
  const reordered = withId(doc);
  return { doc: reordered, raw: encode(reordered) };
}
