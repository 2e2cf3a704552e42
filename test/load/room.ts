/** A room: a pair or a group of users, what they know of its messages, and the receipts that they give. */
import type { Message } from '../../shared/contract/documents.ts';
import type { Account } from './accounts.ts';
import type { Commands } from './commands.ts';
import { createLedger, type Ledger } from './ledger.ts';
import type { Recorder } from './recorder.ts';
import type { Random } from './schedule.ts';
import { createUser, type User } from './user.ts';
import type { Fault } from './verdict.ts';

export type Target = { recipient_id: string } | { group_id: string };

export interface Room {
  users: User[];
  ledger: Ledger;
  /** Whether a call is under way: a pair has one at a time. */
  isInCall: boolean;
  /** When all users are connected for the first time. */
  ready: Promise<void>;
  /** Makes contacts of a pair, and a group of more. @throws Error when the server refuses */
  open(): Promise<void>;
  /** To whom a user writes. */
  target(user: User): Target;
  /** Users who should have been told something live that they were not (yet). */
  behind(): User[];
  /** The last findings, once everybody was asked what they have. @param checked those who answered */
  judge(checked: Set<User>): void;
}

export interface RoomOptions {
  url: string;
  timeoutMs: number;
  accounts: Account[];
  /** Begins the ids of its messages. */
  prefix: string;
  /** Of a hundred messages, how many are read. */
  reads: number;
  random: Random;
  recorder: Recorder;
  commands: Commands;
  find(fault: Fault, words: string): void;
  isOver(): boolean;
}

/** How long people take to read: one of ten steps, in milliseconds. */
const READING_MS = { least: 200, step: 100 };

export function createRoom(options: RoomOptions): Room {
  const { accounts, prefix, reads, random, recorder, commands, find, isOver } = options;
  const ledger = createLedger(prefix, find);
  const passedOver: { user: number; seq: number }[] = [];
  let groupId: string | undefined;

  function receipt(user: User, up_to_seq: number): void {
    if (isOver()) return;
    const target = room.target(user);
    void commands.give(user, 'message:delivered', { ...target, up_to_seq }, performance.now());
    if (random() * 100 >= reads) return;
    const wait = READING_MS.least + READING_MS.step * Math.floor(random() * 10);
    const plannedAt = performance.now() + wait;
    setTimeout(() => {
      if (!isOver()) void commands.give(user, 'message:read', { ...target, up_to_seq }, plannedAt);
    }, wait);
  }

  const made = accounts.map((account, index) => {
    const { user, ready } = createUser({
      ...options,
      account,
      events: {
        message(message: Message, isLive) {
          const plannedAt = ledger.known(message);
          if (plannedAt === undefined || message.sender_id === account.user_id) return;
          if (isLive) recorder.answered('→ message:new', plannedAt);
          receipt(user, message.seq);
        },
        passedOver: (seqs) => void passedOver.push(...seqs.map((seq) => ({ user: index, seq }))),
        find,
      },
    });
    user.on('call:signal', ({ signal }) => recorder.answered('→ call:signal', Number(signal.at)));
    return { user, ready };
  });
  const users = made.map(({ user }) => user);
  const isOthers = (user: number, seq: number) => ledger.senderAt(seq) !== user;

  const room: Room = {
    users,
    ledger,
    isInCall: false,
    ready: Promise.all(made.map(({ ready }) => ready)).then(() => {}),
    target(user) {
      if (groupId !== undefined) return { group_id: groupId };
      return { recipient_id: (user === users[0] ? users[1] : users[0])!.id };
    },
    async open() {
      const [first, second, ...others] = users as [User, User, ...User[]];
      const now = performance.now();
      if (others.length === 0) {
        const asked = await commands.give(first, 'contact:request', { user_id: second.id }, now);
        const accepted = asked && (await commands.give(second, 'contact:accept', { user_id: first.id }, now));
        if (!accepted) throw new Error('the server did not make two users contacts');
        return;
      }
      const member_ids = [second, ...others].map(({ id }) => id);
      const created = await commands.give(first, 'group:create', { name: `Load ${prefix}`, member_ids }, now);
      if (!created) throw new Error('the server did not make a group');
      groupId = created.group._id;
    },
    behind: () =>
      users.filter((user, index) => user.isBack() && user.untold(ledger.last()).some((seq) => isOthers(index, seq))),
    judge(checked) {
      for (const [index, user] of users.entries()) {
        const untold = user.isBack() ? user.untold(ledger.last()) : [];
        passedOver.push(...untold.map((seq) => ({ user: index, seq })));
      }
      for (const { user, seq } of passedOver) {
        if (isOthers(user, seq)) find('outOfOrder', `${prefix}: seq ${seq} was not told to user ${user}`);
      }
      ledger.findLost(users.filter((user) => checked.has(user)).map(({ seen }) => seen));
    },
  };
  return room;
}
