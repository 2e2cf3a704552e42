/* The numbers of the wire protocol. Source: MongoDB manual, "MongoDB Wire Protocol". */

export const OP_REPLY = 1;
export const OP_QUERY = 2004;
export const OP_MSG = 2013;

/** The length of a message's header, in bytes. */
export const HEADER = 16;
/** The longest message, in bytes. `hello` announces it. */
export const MAX_MESSAGE = 48_000_000;
