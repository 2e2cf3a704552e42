/** Compares what the clients were told and acknowledged with what the database has. */
import { MongoClient } from 'mongodb';
import { settledCalls } from './calls.ts';
import type { ChaosClient } from './client.ts';
import { checkConnection } from './told.ts';

export interface Verdict {
  messages: number;
  acknowledged: number;
  connections: number;
  /** Acknowledged, but not stored as acknowledged. */
  lost: number;
  /** Stored twice, or told twice as new on one connection. */
  doubled: number;
  /** Told on one connection after a later change. */
  outOfOrder: number;
  /** Missing in the database's order, or not told to a connection that was there. */
  gaps: number;
  /** Messages on which a client and the database differ in the end. */
  different: number;
  longestWaitMs: number;
  calls: number;
  /** Calls that still ring or go on although everybody hung up. */
  unended: number;
  /** The first few findings, in words. */
  findings: string[];
}

interface Stored {
  _id: string;
  seq: number;
  rev: number;
  content: string;
  sender: string;
}

async function readAll(url: string): Promise<Map<string, Stored[]>> {
  const client = await MongoClient.connect(url);
  try {
    const conversations = new Map<string, Stored[]>();
    for (const name of ['messages', 'group_messages']) {
      for await (const document of client.db().collection(name).find().sort({ conversation_id: 1, seq: 1 })) {
        const list = conversations.get(document.conversation_id) ?? [];
        conversations.set(document.conversation_id, list);
        const { seq, rev, content } = document;
        list.push({ _id: String(document._id), seq, rev, content, sender: String(document.sender_id) });
      }
    }
    return conversations;
  } finally {
    await client.close();
  }
}

/** @param databaseUrl where the truth is */
export async function judge(databaseUrl: string, clients: ChaosClient[]): Promise<Verdict> {
  const stored = await readAll(databaseUrl);
  const verdict: Verdict = {
    messages: [...stored.values()].reduce((sum, list) => sum + list.length, 0),
    acknowledged: clients.reduce((sum, client) => sum + client.acknowledged.length, 0),
    connections: clients.reduce((sum, client) => sum + client.connections.length, 0),
    lost: 0,
    doubled: 0,
    outOfOrder: 0,
    gaps: 0,
    different: 0,
    ...(await settledCalls(databaseUrl)),
    longestWaitMs: Math.max(...clients.map((client) => client.longestWait())),
    findings: [],
  };
  const find = (what: 'lost' | 'doubled' | 'outOfOrder' | 'gaps' | 'different', words: string) => {
    verdict[what]++;
    if (verdict.findings.length < 20) verdict.findings.push(`${what}: ${words}`);
  };

  for (const [id, list] of stored) {
    const contents = new Set<string>();
    for (const [i, message] of list.entries()) {
      if (message.seq !== i + 1) find('gaps', `${id} has seq ${message.seq} at place ${i + 1}`);
      if (contents.has(message.content)) find('doubled', `${id} has "${message.content}" twice`);
      contents.add(message.content);
    }
  }

  for (const client of clients) {
    const me = client.account.user._id;
    for (const { _id, conversation, seq, content } of client.acknowledged) {
      const message = stored.get(conversation)?.[seq - 1];
      if (message?._id !== _id || message.content !== content) find('lost', `${content} at ${conversation} ${seq}`);
    }

    for (const connection of client.connections) {
      const check = checkConnection((what, words) => find(what, `${client.account.username} in ${words}`));
      for (const event of connection.events) check.told(event);
      // What lies between the sync after the connection was made and the last thing told must have been told, too.
      for (const [conversation, list] of stored) {
        if (!client.state.has(conversation)) continue;
        const until = connection.isLast ? list.length : check.last(conversation);
        for (const seq of check.missing(conversation, (connection.synced.get(conversation) ?? 0) + 1, until)) {
          if (list[seq - 1]!.sender === me) continue;
          find('gaps', `${client.account.username} in ${conversation}: seq ${seq} of ${until} was not told`);
        }
      }
    }

    for (const [conversation, messages] of client.state) {
      for (const { _id, seq, rev, content } of stored.get(conversation) ?? []) {
        const mine = messages.get(seq);
        if (mine?._id !== _id || mine.rev !== rev || mine.content !== content) {
          find(
            'different',
            `${client.account.username} in ${conversation}: seq ${seq} is at rev ${mine?.rev}, not ${rev}`,
          );
        }
      }
    }
  }
  return verdict;
}
