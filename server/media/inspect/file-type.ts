/** The type of a file by its content. Reads synchronously in part: for worker threads. */
import { isUtf8 } from 'node:buffer';
import { fileTypeFromFile } from 'file-type';
import { withFile } from './random-access.ts';

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
/** What file-type does not know, or knows in images only by more than their first bytes: it misses broken-off ones. */
const SIGNATURES = [
  { at: 0, bytes: '\x89PNG\r\n\x1a\n', mime: 'image/png', ext: 'png' },
  { at: 0, bytes: 'II*\0', mime: 'image/tiff', ext: 'tif' },
  { at: 0, bytes: 'MM\0*', mime: 'image/tiff', ext: 'tif' },
  { at: 0, bytes: 'caff', mime: 'audio/x-caf', ext: 'caf' },
  { at: 0, bytes: 'RF64', mime: 'audio/wav', ext: 'wav' },
  { at: 0, bytes: '.snd', mime: 'audio/basic', ext: 'au' },
  // QuickTime may begin with padding.
  { at: 4, bytes: 'skip', mime: 'video/quicktime', ext: 'mov' },
];
/** How streams in Ogg begin; file-type looks at the first alone, which may be sound or a description of the others. */
const OGG_FILM = ['\x80theora', '\x01video', 'OVP80'];
const OGG_SOUND = ['OpusHead', '\x01vorbis', '\x7fFLAC', 'Speex   '];
/** How much of a file decides whether it is text, and which streams an Ogg file has. */
const SAMPLE_BYTES = 4096;
/** Characters that text does not contain: controls except tab, line feed, form feed, carriage return and escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const NOT_TEXT = /[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f\u007f]/;

/** @returns the type of a file; `text/plain` or `application/octet-stream` where the content has no known signature */
export async function inspectFile(file: string): Promise<Inspected> {
  const sample = withFile(file, (bytes) => Buffer.from(bytes.read(0, SAMPLE_BYTES)));
  const found = (await fileTypeFromFile(file)) ?? typeBySignature(sample);
  // A text that begins like `The free world` looks like QuickTime to file-type.
  const isWrong = found?.ext === 'mov' && isText(sample);
  if (!found || isWrong) {
    return isText(sample)
      ? { mimeType: 'text/plain', extension: 'txt' }
      : { mimeType: 'application/octet-stream', extension: 'bin' };
  }
  // Without parameters such as `codecs`.
  const type = found.mime.split(';')[0]!.trim().toLowerCase();
  if (type.endsWith('/ogg')) return typeOfOgg(sample, { mimeType: type, extension: found.ext });
  return { mimeType: COMMON_NAMES[type] ?? type, extension: found.ext };
}

function typeBySignature(sample: Buffer): { mime: string; ext: string } | undefined {
  if (isText(sample)) return undefined;
  return SIGNATURES.find(({ at, bytes }) => sample.toString('latin1', at, at + bytes.length) === bytes);
}

/** The first pages of all streams lie at the start (RFC 3533, section 6). */
function typeOfOgg(sample: Buffer, found: Inspected): Inspected {
  const has = (codec: string) => sample.includes(codec, 0, 'latin1');
  if (OGG_FILM.some(has)) return { mimeType: 'video/ogg', extension: 'ogv' };
  return OGG_SOUND.some(has) && found.extension === 'ogx' ? { mimeType: 'audio/ogg', extension: 'oga' } : found;
}

function isText(sample: Buffer): boolean {
  // The sample may end inside a character of up to four bytes.
  const cuts = sample.length === SAMPLE_BYTES ? [0, 1, 2, 3] : [0];
  return cuts.some((cut) => isUtf8(sample.subarray(0, sample.length - cut))) && !NOT_TEXT.test(sample.toString());
}
