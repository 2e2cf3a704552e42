import type { Session } from '../auth/session.ts';
import { type Doc, isDoc } from '../values/document.ts';
import { toInteger } from '../values/integer.ts';
import type { Command } from './command.ts';
import { docField, flag } from './fields.ts';

/** Begins to authenticate. Credentials are the same in every database. */
export const saslStart: Command = {
  fields: ['mechanism', 'payload', 'options', 'autoAuthorize'],
  isOpen: true,
  run: (_, { body }, session) => start(session, body),
};

export const saslContinue: Command = {
  fields: ['conversationId', 'payload'],
  isOpen: true,
  run: (_, { body }, session) => session.continue(toInteger(body.conversationId, 'conversationId'), body.payload),
};

/** What a client sends along with its greeting saves it a message. Whatever is wrong with it, it is told later. */
export function speculate(session: Session, body: Doc): Doc | undefined {
  if (!isDoc(body.speculativeAuthenticate)) return undefined;
  try {
    return start(session, body.speculativeAuthenticate);
  } catch {
    return undefined;
  }
}

function start(session: Session, body: Doc): Doc {
  return session.start(body.mechanism, body.payload, flag(docField(body, 'options') ?? {}, 'skipEmptyExchange'));
}
