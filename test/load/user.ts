/** A user with one connection, who comes back whenever it is lost, and checks what is told on it. */
import { io, type Socket } from 'socket.io-client';
import type { Message } from '../../shared/contract/documents.ts';
import type { EventName, EventPayload } from '../../shared/contract/index.ts';
import { createRanges, type Ranges } from '../chaos/ranges.ts';
import { checkConnection } from '../chaos/told.ts';
import { type Account, renewInTime } from './accounts.ts';
import { createCatchUp } from './catch-up.ts';
import type { Caller, Command } from './commands.ts';
import { nextEvent } from './next-event.ts';
import type { Recorder } from './recorder.ts';
import type { Fault } from './verdict.ts';

export interface User extends Caller {
  id: string;
  /** The seqs of its room's messages that it has. */
  seen: Ranges;
  /** Cuts the connection and comes back at once. */
  reconnect(plannedAt: number): void;
  /** `sync` to the end. @returns whether it succeeded */
  synchronise(): Promise<boolean>;
  /** A message of its own that the server acknowledged. */
  acknowledged(message: Message, isDuplicate: boolean): void;
  /** The seqs up to one that were neither told on the present connection nor acknowledged, though they should be. */
  untold(until: number): number[];
  /** Whether it is told an event within a time. */
  next(event: EventName, timeoutMs: number): { told: Promise<boolean>; cancel(): void };
  on<N extends EventName>(event: N, handler: (payload: EventPayload<N>) => void): void;
  close(): void;
}

/** What the room does with what its user is told and finds. */
export interface UserEvents {
  message(message: Message, isLive: boolean): void;
  /** The seqs that an ended connection was not told although it was told later ones. Its own may be among them. */
  passedOver(seqs: number[]): void;
  find(fault: Fault, words: string): void;
}

export interface UserOptions {
  url: string;
  account: Account;
  timeoutMs: number;
  recorder: Recorder;
  events: UserEvents;
}

/** Between attempts to come back where Socket.IO leaves that to the application, in milliseconds. */
const COME_BACK_MS = 1000;

/** @returns the user, and when it is connected and up to date for the first time */
export function createUser({ url, account, timeoutMs, recorder, events }: UserOptions): {
  user: User;
  ready: Promise<void>;
} {
  const socket = open(url, account);
  const seen = createRanges();
  const waiting = new Set<Command>();
  let check = checkConnection(events.find);
  /** The seq above which everything must be told on the connection. */
  let from = Number.POSITIVE_INFINITY;
  let conversation: string | undefined;
  let back = false;
  let awayAt: number | undefined = performance.now();
  const stopRenewing = renewInTime(url, account, {
    renewed: () => void socket.emit('auth:renew', { token: account.access_token }),
    failed: () => recorder.failed('renewal', 'refused', performance.now()),
  });
  let firstTime: () => void;
  const ready = new Promise<void>((resolve) => {
    firstTime = resolve;
  });

  function keep(message: Message, isLive: boolean): void {
    conversation = message.conversation_id;
    seen.add(message.seq);
    events.message(message, isLive);
  }

  // Messages are all that changes here, so what counts changes is the same as what counts messages.
  const known = () => (conversation === undefined ? {} : { [conversation]: seen.whole() });
  const catchUp = createCatchUp({ socket, timeoutMs, recorder, known, keep: (message) => keep(message, false) });

  async function comeBack(): Promise<void> {
    const { id } = socket;
    const synced = await catchUp();
    if (!socket.connected || socket.id !== id) return;
    from = synced ?? Number.POSITIVE_INFINITY;
    back = true;
    recorder.answered('reconnection', awayAt!);
    awayAt = undefined;
    for (const command of waiting) user.emit(command);
    firstTime();
  }

  const user: User = {
    id: account.user_id,
    seen,
    waiting,
    quietUntil: 0,
    isBack: () => back,
    emit: (command) => void socket.emit(command.name, command.payload, command.answered),
    synchronise: async () => (await catchUp()) !== undefined,
    acknowledged(message, isDuplicate) {
      conversation = message.conversation_id;
      seen.add(message.seq);
      // A repeated one may have been told on this connection, as what another device sent.
      if (!isDuplicate) check.acknowledged(message.conversation_id, message.seq);
    },
    reconnect(plannedAt) {
      awayAt = plannedAt;
      socket.disconnect();
      socket.connect();
    },
    untold: (until) => (conversation === undefined ? [] : check.missing(conversation, from + 1, until)),
    next: (event, ms) => nextEvent(socket, event, ms),
    on: (event, handler) => void socket.on<string>(event, handler),
    close() {
      stopRenewing();
      socket.removeAllListeners();
      socket.disconnect();
    },
  };

  socket.on('session:ready', () => void comeBack());
  socket.on('message:new', ({ message }: { message: Message }) => {
    const { conversation_id, seq, rev } = message;
    check.told({ conversation: conversation_id, seq, rev, isNew: true });
    keep(message, true);
  });
  socket.on('disconnect', (reason) => {
    if (conversation !== undefined) events.passedOver(check.missing(conversation, from + 1, check.last(conversation)));
    check = checkConnection(events.find);
    from = Number.POSITIVE_INFINITY;
    back = false;
    awayAt ??= performance.now();
    if (reason === 'io server disconnect') connectLater(socket);
  });
  socket.on('connect_error', (error: Error & { data?: { code?: string } }) => {
    recorder.failed('connection', error.data?.code ?? 'connect_error', performance.now());
    if (!socket.active) connectLater(socket);
  });
  return { user, ready };
}

/** A connection that comes back by itself, each time with the newest token. */
function open(url: string, account: Account): Socket {
  return io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
    auth: (give) => give({ token: account.access_token }),
  });
}

function connectLater(socket: Socket): void {
  setTimeout(() => socket.connect(), COME_BACK_MS * (0.5 + Math.random())).unref();
}
