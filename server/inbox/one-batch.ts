/**
 * The batch size of queries that must be answered in one round trip. The driver asks for further batches only when an
 * answer holds more documents than this.
 */
export const ONE_BATCH = 10_000;
