/**
 * Symmetric keys for one purpose, of at least 32 bytes: the first makes what the purpose asks for, and each of them reads it.
 * So a key can be replaced while what the one before has made is still around.
 */
export type KeyRing = readonly [Buffer, ...Buffer[]];
