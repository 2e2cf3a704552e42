/**
 * What the server relies on in MongoDB, whatever the connection string says: it reads what a majority has, from the
 * primary, and a write counts once a majority has it in its journal. Else a failover could take back what was
 * acknowledged, delivered, or decided by.
 */
import type { MongoClientOptions } from 'mongodb';

export const GUARANTEES = {
  readPreference: 'primary',
  readConcern: { level: 'majority' },
  writeConcern: { w: 'majority', journal: true },
  // A write whose answer is lost is tried again, and MongoDB carries it out once.
  retryWrites: true,
  retryReads: true,
} satisfies MongoClientOptions;
