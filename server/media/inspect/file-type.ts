/** The type of a file by its content. */
import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';

export interface Inspected {
  mimeType: string;
  /** The extension for the stored file name, without a dot. */
  extension: string;
}

/** Names that file-type uses, and the ones that players know. */
const COMMON_NAMES: Record<string, string> = {
  'audio/x-m4a': 'audio/mp4',
  'video/mp1s': 'video/mpeg',
  'video/mp2p': 'video/mpeg',
};
/** Images that file-type recognises only with more than their first bytes: it misses those that break off early. */
const SIGNATURES = [
  { bytes: Buffer.from('89504e470d0a1a0a', 'hex'), mime: 'image/png', ext: 'png' },
  { bytes: Buffer.from('49492a00', 'hex'), mime: 'image/tiff', ext: 'tif' },
  { bytes: Buffer.from('4d4d002a', 'hex'), mime: 'image/tiff', ext: 'tif' },
];
/** How much of a file decides whether it is text. */
const SAMPLE_BYTES = 4096;
/** Characters that text does not contain: controls except tab, line feed, form feed, carriage return and escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const NOT_TEXT = /[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f\u007f]/;

/** @returns the type of a file; `text/plain` or `application/octet-stream` where the content has no known signature */
export async function inspectFile(file: string): Promise<Inspected> {
  const found = (await fileTypeFromFile(file)) ?? (await typeOfTruncatedImage(file));
  if (!found) {
    return (await isText(file))
      ? { mimeType: 'text/plain', extension: 'txt' }
      : { mimeType: 'application/octet-stream', extension: 'bin' };
  }
  // Without parameters such as `codecs`.
  const type = found.mime.split(';')[0]!.trim().toLowerCase();
  return { mimeType: COMMON_NAMES[type] ?? type, extension: found.ext };
}

async function typeOfTruncatedImage(file: string): Promise<{ mime: string; ext: string } | undefined> {
  const start = await readStart(file, 8);
  return SIGNATURES.find(({ bytes }) => start.subarray(0, bytes.length).equals(bytes));
}

async function isText(file: string): Promise<boolean> {
  const sample = await readStart(file, SAMPLE_BYTES);
  // The sample may end inside a character of up to four bytes.
  const cuts = sample.length === SAMPLE_BYTES ? [0, 1, 2, 3] : [0];
  return cuts.some((cut) => isUtf8(sample.subarray(0, sample.length - cut))) && !NOT_TEXT.test(sample.toString());
}

async function readStart(file: string, length: number): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
