/**
 * Symmetric keys for one purpose, of at least 32 bytes: the first makes what the purpose needs, and any of them reads
 * it. So a key can be replaced while what its predecessor made is still around.
 */
export type KeyRing = readonly [Buffer, ...Buffer[]];
