/**
 * The thread that looks into uploads: what a stranger made is parsed where it can neither hold up the event loop nor
 * take the process's memory.
 */
import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';
import { parseFile, UnsupportedFileTypeError } from 'music-metadata';
import { hasEnd } from './image-end.ts';
import { readMovie } from './iso-bmff.ts';

/** What a file is, by its content. */
export interface Inspected {
  mimeType: string;
  /** Extension for the stored name, without a dot. */
  extension: string;
}

export interface InspectedMedia extends Inspected {
  mediaType: 'image' | 'video' | 'audio';
  /** Seconds. */
  duration?: number;
  width?: number;
  height?: number;
}

/** Names that file-type has from elsewhere, and those that players know. */
const USUAL_NAMES: Record<string, string> = {
  'audio/x-m4a': 'audio/mp4',
  'video/mp1s': 'video/mpeg',
  'video/mp2p': 'video/mpeg',
};
/** Images of which file-type reads more than the beginning: it does not know one that breaks off before that. */
const SIGNATURES = [
  { begin: Buffer.from('89504e470d0a1a0a', 'hex'), mime: 'image/png', ext: 'png' },
  { begin: Buffer.from('49492a00', 'hex'), mime: 'image/tiff', ext: 'tif' },
  { begin: Buffer.from('4d4d002a', 'hex'), mime: 'image/tiff', ext: 'tif' },
];
/** How much of a file tells whether it is text. */
const SAMPLE_BYTES = 4096;
/** Characters that text does not have: controls but tab, line feed, form feed, carriage return and escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const NOT_TEXT = /[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f\u007f]/;

/** What a file is; bytes of no known kind are text or `application/octet-stream`. */
export async function inspectFile(file: string): Promise<Inspected> {
  const found = (await fileTypeFromFile(file)) ?? (await brokenOffImage(file));
  if (!found) {
    return (await isText(file))
      ? { mimeType: 'text/plain', extension: 'txt' }
      : { mimeType: 'application/octet-stream', extension: 'bin' };
  }
  // Parameters such as `codecs` are left out: they are not the type.
  const type = found.mime.split(';')[0]!.trim().toLowerCase();
  return { mimeType: USUAL_NAMES[type] ?? type, extension: found.ext };
}

/** What an image, video or audio file is; undefined for anything else, `damaged` for one that cannot be parsed. */
export async function inspectMedia(file: string): Promise<InspectedMedia | 'damaged' | undefined> {
  const inspected = await inspectFile(file);
  const mediaType = inspected.mimeType.split('/')[0];
  if (mediaType === 'image') return hasEnd(file, inspected.mimeType) ? { ...inspected, mediaType } : 'damaged';
  if (mediaType !== 'video' && mediaType !== 'audio') return undefined;
  const movie = inspected.extension === 'mkv' || inspected.extension === 'webm' ? undefined : readMovie(file);
  try {
    const { format } = await parseFile(file, { duration: true, skipCovers: true });
    const track = format.trackInfo.find(({ video }) => video?.pixelWidth)?.video;
    const picture = movie?.picture ?? (track && { width: track.pixelWidth, height: track.pixelHeight });
    const duration = movie?.duration ?? format.duration;
    // A container for films in which there is none: what browsers record of a voice.
    const isVoice = mediaType === 'video' && !picture && format.hasVideo === false && format.hasAudio === true;
    return {
      ...inspected,
      ...(isVoice || (movie && !movie.picture) ? asAudio(inspected) : { mediaType }),
      ...(duration !== undefined && Number.isFinite(duration) && duration > 0 ? { duration } : {}),
      ...(picture ?? {}),
    };
  } catch (error) {
    // A container that the parser does not know is nothing bad.
    return error instanceof UnsupportedFileTypeError ? { ...inspected, mediaType } : 'damaged';
  }
}

function asAudio({ mimeType }: Inspected): { mimeType: string; mediaType: 'audio' } {
  return { mimeType: mimeType.replace(/^video\//, 'audio/'), mediaType: 'audio' };
}

async function brokenOffImage(file: string): Promise<{ mime: string; ext: string } | undefined> {
  const sample = await beginningOf(file, 8);
  return SIGNATURES.find(({ begin }) => sample.subarray(0, begin.length).equals(begin));
}

async function isText(file: string): Promise<boolean> {
  const sample = await beginningOf(file, SAMPLE_BYTES);
  // The sample may end within a character of up to four bytes.
  const cuts = sample.length === SAMPLE_BYTES ? [0, 1, 2, 3] : [0];
  return cuts.some((cut) => isUtf8(sample.subarray(0, sample.length - cut))) && !NOT_TEXT.test(sample.toString());
}

async function beginningOf(file: string, length: number): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
