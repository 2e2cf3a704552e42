/**
 * The thread that inspects uploads. Untrusted content is parsed here, where it can neither block the event loop nor
 * exhaust the memory of the process.
 */
import { parseFile, UnsupportedFileTypeError } from 'music-metadata';
import { type Inspected, inspectFile } from './file-type.ts';
import { hasEnd } from './image-end.ts';
import { readMovie } from './iso-bmff.ts';

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

/** @returns undefined for anything but an image, video or audio; `damaged` for one that cannot be parsed */
export async function inspectMedia(file: string): Promise<InspectedMedia | 'damaged' | undefined> {
  const inspected = await inspectFile(file);
  const mediaType = inspected.mimeType.split('/')[0];
  if (mediaType === 'image') return hasEnd(file, inspected.mimeType) ? { ...inspected, mediaType } : 'damaged';
  if (mediaType !== 'video' && mediaType !== 'audio') return undefined;
  try {
    return { ...inspected, mediaType, ...(await readTracks(file, inspected, mediaType)) };
  } catch (error) {
    // The parser does not know this container, which says nothing against the file.
    return error instanceof UnsupportedFileTypeError ? { ...inspected, mediaType } : 'damaged';
  }
}

/** What the tracks of a video or audio file tell: duration, picture size, and whether it is audio only. */
async function readTracks(file: string, inspected: Inspected, mediaType: string): Promise<Partial<InspectedMedia>> {
  const isMatroska = inspected.extension === 'mkv' || inspected.extension === 'webm';
  const movie = isMatroska ? undefined : readMovie(file);
  const { format } = await parseFile(file, { duration: true, skipCovers: true });
  const track = format.trackInfo.find(({ video }) => video?.pixelWidth)?.video;
  const picture = movie?.picture ?? (track && { width: track.pixelWidth, height: track.pixelHeight });
  const duration = movie?.duration ?? format.duration;
  // Browsers record voice messages in a video container without a picture.
  const isVoice = mediaType === 'video' && !picture && format.hasVideo === false && format.hasAudio === true;
  return {
    ...(isVoice || (movie && !movie.picture) ? asAudio(inspected) : {}),
    ...(duration !== undefined && Number.isFinite(duration) && duration > 0 ? { duration } : {}),
    ...(picture ?? {}),
  };
}

function asAudio({ mimeType }: Inspected): { mimeType: string; mediaType: 'audio' } {
  return { mimeType: mimeType.replace(/^video\//, 'audio/'), mediaType: 'audio' };
}
