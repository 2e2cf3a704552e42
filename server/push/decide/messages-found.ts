/** Reads what may be pushed of the messages of many conversations by one command. */
import type { Document, ObjectId } from 'mongodb';
import type { MessageStore } from '../../conversations/message-store.ts';
import { refFromId } from '../../model/conversation-ref.ts';
import type { Found, PushedMessage } from './conversation-decision.ts';

/** Branches of one command, and ids that they name: a command must not grow too large. */
const MOST_BRANCHES = 120;
const MOST_IDS = 50_000;

export interface Asked {
  conversationId: string;
  /** Whom it is to be pushed to. */
  userId: ObjectId;
  /** Messages of these senders are not pushed: one's own, and across a block. */
  without: ObjectId[];
  /** Only messages above this `seq` … */
  above: number;
  /** … that were sent at or after this time. */
  since: Date;
  /** Further conditions. */
  where: Document;
  /** Whether the oldest of them matters too. */
  oldest: boolean;
}

/** A part of a command, on the messages of one conversation. */
export interface Branch {
  kind: 'direct' | 'group';
  stages: Document[];
  /** How many ids it names. */
  ids: number;
}

type Row = PushedMessage & { of: number; as: 'newest' | 'oldest' | 'seq' | 'rev' };

/** @returns for each what was found, in the order asked */
export async function findMessages(store: Pick<MessageStore, 'of'>, asked: readonly Asked[]): Promise<Found[]> {
  const rows = await readBranches<Row>(store, asked.flatMap(branchesOf));
  const found = asked.map((): Found => ({ newest: undefined, oldestAt: undefined, hasAside: false, seq: 0, rev: 0 }));
  for (const { of, as, ...message } of rows) {
    const one = found[of]!;
    if (as === 'newest') one.newest = message;
    else if (as === 'oldest') one.oldestAt = message.created_at;
    else one[as] = message[as];
    if (message.aside) one.hasAside = true;
  }
  return found;
}

/** Reads the branches, one after the other. */
export async function readBranches<R extends Document>(
  store: Pick<MessageStore, 'of'>,
  branches: readonly Branch[],
): Promise<R[]> {
  const rows: R[] = [];
  for (const [first, ...rest] of commandsOf(branches)) {
    const pipeline = [
      ...first.stages,
      ...rest.map(({ kind, stages }) => ({ $unionWith: { coll: store.of(kind).collectionName, pipeline: stages } })),
    ];
    const read = store.of(first.kind).aggregate<R>(pipeline, { batchSize: rest.length + 2 });
    rows.push(...(await read.toArray()));
  }
  return rows;
}

function commandsOf(branches: readonly Branch[]): [Branch, ...Branch[]][] {
  const commands: [Branch, ...Branch[]][] = [];
  let ids = 0;
  for (const branch of branches) {
    const last = commands.at(-1);
    ids += branch.ids;
    if (last && last.length < MOST_BRANCHES && ids <= MOST_IDS) {
      last.push(branch);
      continue;
    }
    commands.push([branch]);
    ids = branch.ids;
  }
  return commands;
}

/** Matches the messages that are asked for. */
export function matchOf({ conversationId, without, above, since, where }: Asked): Document {
  return {
    conversation_id: conversationId,
    ...where,
    is_deleted: false,
    seq: { $gt: above },
    sender_id: { $nin: without },
    created_at: { $gte: since },
  };
}

const MESSAGE = { seq: 1, rev: 1, sender_id: 1, created_at: 1, content: 1, mentions: 1, thread_id: 1, aside: 1 };

/** What is stored is read first: what is newer than that is found by the next look. */
function branchesOf(asked: Asked, of: number): Branch[] {
  const { kind, id } = refFromId(asked.conversationId);
  const whole = { conversation_id: id };
  const pushed = matchOf(asked);
  const branch = (as: Row['as'], match: Document, sort: Document, fields: Document): Branch => ({
    kind,
    stages: [
      { $match: match },
      { $sort: sort },
      { $limit: 1 },
      { $project: { _id: 0, ...fields, of: { $literal: of }, as: { $literal: as } } },
    ],
    ids: match === pushed ? asked.without.length : 0,
  });
  return [
    branch('seq', whole, { seq: -1 }, { seq: 1 }),
    branch('rev', whole, { rev: -1 }, { rev: 1 }),
    branch('newest', pushed, { seq: -1 }, MESSAGE),
    ...(asked.oldest ? [branch('oldest', pushed, { seq: 1 }, { created_at: 1, aside: 1 })] : []),
  ];
}
