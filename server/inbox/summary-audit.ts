/**
 * Compares all summaries with the messages after a node was killed: the message that it had just stored may be missing in
 * its summary, and where nobody looks at the conversation, nobody would notice. A chain of jobs of about a second each,
 * with as long a rest as each page took; any node goes on where another one stopped.
 */
import { setTimeout } from 'node:timers/promises';
import type { JobPayload } from '../cluster/job-store.ts';
import type { Jobs } from '../cluster/jobs.ts';
import { SUMMARY_AUDIT } from '../conversations/changed-conversations.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Collections } from '../model/collections.ts';
import { KINDS } from '../model/conversation-ref.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { SummaryCheck } from './summary-check.ts';

const PAGE = 200;
const STEP_MS = 1000;

export interface SummaryAuditOptions {
  collections: Pick<Collections, 'conversations'>;
  store: Pick<MessageStore, 'of'>;
  summaryCheck: Pick<SummaryCheck, 'repair'>;
  jobs: Pick<Jobs, 'handle' | 'add'>;
}

/** From now on this node carries out such audits. */
export function handleSummaryAudit({ collections, store, summaryCheck, jobs }: SummaryAuditOptions): void {
  /** Those of the summaries that are behind their messages: from an index alone, and hardly ever any. */
  async function behindAmong(summaries: ConversationDocument[]): Promise<ConversationDocument[]> {
    const found = await Promise.all(
      KINDS.map((kind) => {
        const some = summaries.filter((summary) => summary.kind === kind);
        if (some.length === 0) return [];
        const $or = some.map(({ _id, rev }) => ({ conversation_id: _id, rev: { $gt: rev } }));
        return store
          .of(kind)
          .find({ $or }, { projection: { _id: 0, conversation_id: 1, rev: 1 } })
          .toArray();
      }),
    );
    const behind = new Set(found.flat().map(({ conversation_id }) => conversation_id));
    return summaries.filter(({ _id }) => behind.has(_id));
  }

  /** @returns the id that the next step goes on from; undefined at the end */
  async function step(from: string): Promise<string | undefined> {
    const until = performance.now() + STEP_MS;
    let after = from;
    do {
      const began = performance.now();
      const page = await collections.conversations
        .find({ _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(PAGE)
        .toArray();
      for (const summary of await behindAmong(page)) await summaryCheck.repair(summary);
      if (page.length < PAGE) return undefined;
      after = page.at(-1)!._id;
      await setTimeout(performance.now() - began);
    } while (performance.now() < until);
    return after;
  }

  async function run({ of, after = '' }: JobPayload): Promise<void> {
    const next = await step(String(after));
    // The next job is stored before this one is removed: the chain does not break where the process dies.
    if (next !== undefined) await jobs.add(SUMMARY_AUDIT, `${of}:${next}`, { of: of!, after: next });
  }

  jobs.handle(SUMMARY_AUDIT, { run });
}
