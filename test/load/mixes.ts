/** What users do: of a hundred planned actions, how many are which. */

export type Action =
  | 'send'
  | 'typing'
  | 'history'
  | 'presence:get'
  | 'presence:set'
  | 'reconnection'
  | 'call'
  | 'call:history';

export type MixName = 'chat' | 'groups' | 'calls' | 'storm';

export interface Mix {
  about: string;
  /** Users who write to each other: two are a pair, more are a group. */
  roomSize: number;
  /** Parts of a hundred; together 100. */
  shares: Partial<Record<Action, number>>;
  /** Of a hundred messages that arrive, how many are read. All are acknowledged as delivered. */
  reads: number;
  /** Where in the run all connections are cut at once, as a part of its time. */
  cutAt?: number;
}

export const MIXES: Record<MixName, Mix> = {
  chat: {
    about: 'pairs who write, type, look back and lose their connection now and then',
    roomSize: 2,
    shares: { send: 62, typing: 20, history: 8, 'presence:get': 5, 'presence:set': 3, reconnection: 2 },
    reads: 100,
  },
  groups: {
    about: 'groups of about 20, in which half of the members read at once',
    roomSize: 20,
    shares: { send: 55, typing: 20, history: 15, 'presence:get': 6, 'presence:set': 2, reconnection: 2 },
    reads: 50,
  },
  calls: {
    about: 'pairs who call each other, exchange twelve signals and end it two seconds later',
    roomSize: 2,
    shares: { call: 60, send: 30, 'call:history': 10 },
    reads: 100,
  },
  storm: {
    about: 'chat, and halfway all connections are cut and come back at once',
    roomSize: 2,
    shares: { send: 70, typing: 20, history: 10 },
    reads: 100,
    cutAt: 0.5,
  },
};
