/** Everything that can happen to the state. */
import type { CommandData, CommandName, CommandPayload, EventName, EventPayload, Message } from '../contract.ts';
import type { State } from './state.ts';

type EventChange = { [N in EventName]: { event: N; payload: EventPayload<N> } }[EventName];

/** A command was answered. */
export interface AnswerChange {
  answer: CommandName;
  payload: CommandPayload<CommandName>;
  data: CommandData<CommandName>;
}

/** A page of `sync` came. */
export interface PageChange {
  page: CommandData<'sync'>;
  /** What the client said it has. */
  named: Readonly<Record<string, number>>;
  /** How many messages were asked for of conversations that were not named. */
  newest: number | undefined;
  /** Whether it is the first: it alone tells the calls. */
  isFirst: boolean;
}

/** A page of history came: of the messages below a `seq`, or the newest. */
export interface OlderChange {
  older: readonly Message[];
  conversationId: string;
  below: number | undefined;
  hasOlder: boolean;
}

export type Change =
  | EventChange
  | AnswerChange
  | PageChange
  | OlderChange
  /** The user has read up to there: shown before the server knows. */
  | { read: string; seq: number }
  /** The user has read a thread up to there: shown before the server knows. */
  | { threadRead: string; seq: number }
  /** Of a conversation only the newest messages are kept on. */
  | { trim: string; most: number }
  /** What a storage has kept. */
  | { restored: State };
