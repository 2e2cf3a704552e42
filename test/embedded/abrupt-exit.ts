/** `abrupt-exit.ts FOLDER HOW`: writes to an embedded database and ends without closing it: HOW is `exit` or `error`. */
import { MongoClient } from 'mongodb';
import { startEmbedded } from '../../server/embedded/start.ts';

const [dataDir, how] = process.argv.slice(2) as [string, string];
const { url } = await startEmbedded({ dataDir });
const client = await MongoClient.connect(url);
await client.db().collection<{ _id: string }>('docs').insertOne({ _id: how });
if (how === 'exit') process.exit(3);
setImmediate(() => {
  throw new Error('nobody catches this');
});
