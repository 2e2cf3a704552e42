/** The inbox over a real database, in this process: what it asks of the store can be counted, and time can be stopped. */
import { BSON, type CommandStartedEvent, MongoClient } from 'mongodb';
import { pino } from 'pino';
import { createBus, createMemoryBroker } from '../../server/bus/bus.ts';
import { createOpenCalls } from '../../server/calls/open-calls.ts';
import { createCallSync } from '../../server/calls/sync.ts';
import { type AccessRules, createAccessRules } from '../../server/conversations/access-rules.ts';
import { createAudience } from '../../server/conversations/audience.ts';
import { createMessageStore, type MessageStore } from '../../server/conversations/message-store.ts';
import { createNewestMessages } from '../../server/conversations/newest-messages.ts';
import { createVisibility } from '../../server/conversations/visibility.ts';
import { createServerTime } from '../../server/dispatch/server-time.ts';
import { createInboxDomain, type InboxDomain } from '../../server/inbox/domain.ts';
import { type Collections, collections } from '../../server/model/collections.ts';
import { install } from '../../server/model/install.ts';
import { startDatabase } from '../support/database.ts';
import { uncached } from '../support/lookups.ts';

export interface Inbox {
  stored: Collections;
  store: MessageStore;
  access: AccessRules;
  domain: InboxDomain;
  /** The names of the commands that reached the store. */
  commands: string[];
  /** How much the store has answered, in bytes. */
  bytesRead(): number;
  close(): Promise<void>;
}

/** What a driver sends by itself. */
const OVERHEAD = ['endSessions', 'hello', 'isMaster', 'killCursors'];

export async function openInbox(): Promise<Inbox> {
  const database = await startDatabase();
  const client = await new MongoClient(database.url, { monitorCommands: true, ignoreUndefined: true }).connect();
  const commands: string[] = [];
  client.on('commandStarted', ({ commandName }: CommandStartedEvent) => {
    if (!OVERHEAD.includes(commandName)) commands.push(commandName);
  });
  let bytes = 0;
  client.on('commandSucceeded', ({ reply }) => {
    bytes += BSON.calculateObjectSize(reply as object);
  });
  const db = client.db();
  const log = pino({ level: 'silent' });
  await install(db, log);
  const stored = collections(db);
  const clock = () => new Date();
  const store = createMessageStore(stored);
  const visibility = createVisibility(false);
  const access = createAccessRules(stored, visibility, uncached);
  const domain = createInboxDomain({
    collections: stored,
    store,
    newest: createNewestMessages({ store, isAlone: () => false, hears: () => false, clock }),
    access,
    visibility,
    audience: createAudience(stored, uncached),
    bus: createBus(createMemoryBroker(() => {})),
    delivery: { onViewChanged: () => {}, apply: () => {} },
    jobs: { handle: () => {}, add: async () => {} },
    serverTime: createServerTime(clock, () => true),
    callsOf: createCallSync({ openCalls: createOpenCalls(stored) }),
    clock,
    log,
  });
  return {
    stored,
    store,
    access,
    domain,
    commands,
    bytesRead: () => bytes,
    async close() {
      await client.close();
      await database.stop();
    },
  };
}
