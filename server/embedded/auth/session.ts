import { Binary } from 'bson';
import type { Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { int } from '../values/numbers.ts';
import { beginExchange, type Credentials, type Exchange } from './scram.ts';

export const MECHANISM = 'SCRAM-SHA-256';
/** The longest payload that is looked at, in bytes. */
const LONGEST_PAYLOAD = 4096;

/** What one connection may do, and how it comes to that. */
export interface Session {
  /** Whether there is a password that clients must know. */
  readonly needsPassword: boolean;
  /** Whether the client may do everything. */
  isAuthenticated(): boolean;
  /**
   * Begins an exchange, in place of one that has begun.
   * @param mechanism what the client asks for
   * @param skipsEmpty whether the client does without the empty message at the end
   * @returns the fields of the reply
   * @throws Fault MechanismUnavailable, AuthenticationFailed
   */
  start(mechanism: unknown, payload: unknown, skipsEmpty: boolean): Doc;
  /** @throws Fault ProtocolError if there is nothing to continue, AuthenticationFailed */
  continue(conversationId: number, payload: unknown): Doc;
}

/** @param credentials none: everyone may do everything */
export function createSession(credentials: Credentials | undefined): Session {
  let isAuthenticated = credentials === undefined;
  let conversationId = 0;
  let exchange: Exchange | undefined;
  let skipsEmptyMessage = false;
  /** The client is still to send an empty message. */
  let isProven = false;

  const reply = (done: boolean, payload: string): Doc => ({
    conversationId: int(conversationId),
    done,
    payload: new Binary(Buffer.from(payload)),
  });

  return {
    needsPassword: credentials !== undefined,
    isAuthenticated: () => isAuthenticated,
    start(mechanism, payload, skipsEmpty) {
      if (credentials === undefined || mechanism !== MECHANISM) {
        throw new Fault(334, `Received authentication for mechanism ${String(mechanism)} which is not enabled`);
      }
      exchange = beginExchange(credentials, textOf(payload));
      conversationId++;
      skipsEmptyMessage = skipsEmpty;
      isProven = false;
      return reply(false, exchange.challenge);
    },
    continue(id, payload) {
      if (id !== conversationId || (exchange === undefined && !isProven)) {
        throw new Fault(17, 'No SASL session state found');
      }
      if (exchange === undefined) {
        isProven = false;
        return reply(true, '');
      }
      const { finish } = exchange;
      exchange = undefined;
      const final = finish(textOf(payload));
      isAuthenticated = true;
      isProven = !skipsEmptyMessage;
      return reply(skipsEmptyMessage, final);
    },
  };
}

function textOf(payload: unknown): string {
  if (!(payload instanceof Binary) || payload.position > LONGEST_PAYLOAD) {
    throw new Fault(14, "BSON field 'payload' must be binary data of at most 4096 bytes");
  }
  return Buffer.from(payload.value()).toString('utf8');
}
