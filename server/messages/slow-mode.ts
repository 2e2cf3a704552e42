/**
 * Slow mode (PROTOCOL section 16): members who are no admins wait after their last stored message. What is sent then says
 * which of the sender's messages it follows, and a unique index lets one message follow each: so of two sent at once, also
 * through two nodes, one is stored. Nothing is written but messages, so a refused or failed send leaves nothing behind.
 */
import type { ObjectId } from 'mongodb';
import type { Access } from '../conversations/access.ts';
import type { LastSent, MessageStore } from '../conversations/message-store.ts';
import { type ContractError, rateLimited } from '../lib/errors.ts';
import type { GroupMessageDocument } from '../model/documents/messages.ts';

/** The `seq` of the message that a message follows in slow mode. */
export function followsOf(message: object & Pick<Partial<GroupMessageDocument>, 'follows_seq'>): number | undefined {
  return message.follows_seq;
}

/** Another message of the sender was stored in the meantime. */
export class Overtaken extends Error {
  readonly last: LastSent;

  constructor(last: LastSent) {
    super('another message of the sender was stored first');
    this.last = last;
  }
}

/** The refusal of a message so soon after the last one. */
export function tooSoon({ created_at }: LastSent, { slowModeS }: Access, now: Date): ContractError {
  return rateLimited(Math.max(1, waitAfter(created_at, slowModeS, now)));
}

/**
 * @returns the `seq` of the message that the next one of the sender follows, 0 if it is the first; undefined where the
 *   sender need not wait
 * @throws ContractError `rate_limited` where the sender has not waited long enough
 */
export async function followedInSlowMode(
  store: Pick<MessageStore, 'lastSent'>,
  access: Access,
  senderId: ObjectId,
  clock: () => Date,
): Promise<number | undefined> {
  if (access.slowModeS === 0) return undefined;
  const last = await store.lastSent(access.conversation, senderId);
  if (!last) return 0;
  const now = clock();
  if (waitAfter(last.created_at, access.slowModeS, now) > 0) throw tooSoon(last, access, now);
  return last.seq;
}

/** In milliseconds; never longer than slow mode asks for, should the other node's time be a little ahead. */
function waitAfter(sentAt: Date, slowModeS: number, now: Date): number {
  return slowModeS * 1000 - Math.max(0, now.getTime() - sentAt.getTime());
}

/**
 * Makes a sender's messages in slow mode wait for each other within this node: when one is stored, those behind it are
 * refused without asking the store. So a burst of one member does not hold up the others of the group.
 */
export function createSlowSends() {
  const underWay = new Map<string, Promise<LastSent | undefined>>();

  /** @throws Overtaken where another message of the sender was stored meanwhile, and whatever `send` throws */
  return async <S extends { message: LastSent }>(key: string, follows: number, send: () => Promise<S>): Promise<S> => {
    const before = underWay.get(key);
    const sent = (before ?? Promise.resolve(undefined)).then((last) => {
      if (last && last.seq > follows) throw new Overtaken(last);
      return send();
    });
    const stored = sent.then(
      ({ message }) => message,
      (error: unknown) => (error instanceof Overtaken ? error.last : undefined),
    );
    underWay.set(key, stored);
    void stored.then(() => {
      if (underWay.get(key) === stored) underWay.delete(key);
    });
    return sent;
  };
}
