/**
 * The thread that looks into uploads: what a stranger made is parsed where it can neither hold up the event loop nor
 * take the process's memory.
 */
import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';
import { parseFile, UnsupportedFileTypeError } from 'music-metadata';
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
/** How much of a file tells whether it is text. */
const SAMPLE_BYTES = 4096;
/** Characters that text does not have: controls but tab, line feed, form feed, carriage return and escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const NOT_TEXT = /[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f\u007f]/;

/** What a file is; bytes of no known kind are text or `application/octet-stream`. */
export async function inspectFile(file: string): Promise<Inspected> {
  const found = await fileTypeFromFile(file);
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
  if (mediaType === 'image') return { ...inspected, mediaType };
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

async function isText(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SAMPLE_BYTES), 0, SAMPLE_BYTES, 0);
    const sample = buffer.subarray(0, bytesRead);
    // The sample may end within a character of up to four bytes.
    const cuts = bytesRead === SAMPLE_BYTES ? [0, 1, 2, 3] : [0];
    return cuts.some((cut) => isUtf8(sample.subarray(0, bytesRead - cut))) && !NOT_TEXT.test(sample.toString());
  } finally {
    await handle.close();
  }
}
