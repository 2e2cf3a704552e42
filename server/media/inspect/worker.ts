/**
 * The thread that inspects uploads. Untrusted content is parsed here, where it can neither block the event loop nor
 * exhaust the memory of the process.
 */
import { parseFile } from 'music-metadata';
import { type Inspected, inspectFile } from './file-type.ts';
import { hasEnd } from './image-end.ts';
import { readIsoBmff } from './iso-bmff.ts';
import { readMatroska } from './matroska.ts';
import type { Tracks } from './tracks.ts';

/** A task of the thread, besides `inspectMedia`. */
export { inspectFile };

export interface InspectedMedia extends Inspected {
  mediaType: 'image' | 'video' | 'audio';
  /** Seconds. */
  duration?: number;
  /** Pixels as displayed; of images, left to the decoder. */
  width?: number;
  height?: number;
}

/** By the extensions that `inspectFile` gives. */
const MATROSKA = new Set(['mkv', 'webm']);
const ISO_BMFF = new Set(['mp4', 'm4a', 'm4b', 'm4p', 'm4v', 'f4a', 'f4b', 'f4p', 'f4v', 'mov', '3gp', '3g2']);

/** @returns undefined for anything but an image, video or audio; `damaged` for one whose end is missing */
export async function inspectMedia(file: string): Promise<InspectedMedia | 'damaged' | undefined> {
  const inspected = await inspectFile(file);
  const mediaType = inspected.mimeType.split('/')[0];
  if (mediaType === 'image') return hasEnd(file, inspected.mimeType) ? { ...inspected, mediaType } : 'damaged';
  if (mediaType !== 'video' && mediaType !== 'audio') return undefined;
  // A file that no parser here understands is taken as what its signature says: players are more patient.
  const tracks = await readTracks(file, inspected).catch(() => undefined);
  if (tracks === 'truncated') return 'damaged';
  return { ...inspected, mediaType, ...(tracks ? described(inspected, mediaType, tracks) : {}) };
}

async function readTracks(file: string, { extension }: Inspected): Promise<Tracks | 'truncated'> {
  if (MATROSKA.has(extension)) return readMatroska(file);
  if (ISO_BMFF.has(extension)) return readIsoBmff(file);
  const { format } = await parseFile(file, { duration: true, skipCovers: true });
  const { duration, hasVideo = true, hasAudio = false } = format;
  return { hasVideo, hasAudio, duration, picture: undefined };
}

function described(
  { mimeType }: Inspected,
  mediaType: 'video' | 'audio',
  { hasVideo, hasAudio, duration, picture }: Tracks,
): Partial<InspectedMedia> {
  // Voice messages come in video containers without a picture.
  const isVoice = mediaType === 'video' && hasAudio && !hasVideo;
  return {
    ...(isVoice ? { mediaType: 'audio', mimeType: mimeType.replace(/^video\//, 'audio/') } : {}),
    ...(duration !== undefined && Number.isFinite(duration) && duration > 0 ? { duration } : {}),
    ...(mediaType === 'video' && hasVideo ? picture : {}),
  };
}
