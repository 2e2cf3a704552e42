import { crc32 } from 'node:zlib';

/** Calling zlib costs about as much as the table does for so many bytes. */
const SHORT = 64;

/** CRC-32 of each byte value. Source: RFC 1952, section 8. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/**
 * CRC-32 of a part of `bytes`: finds every single wrong bit and every burst of up to 32.
 * @param seed the checksum of what comes before, if the part continues something
 */
export function checksum(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  if (end - start > SHORT) return crc32(end - start < bytes.length ? bytes.subarray(start, end) : bytes, seed);
  let crc = ~seed;
  for (let at = start; at < end; at++) crc = TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
