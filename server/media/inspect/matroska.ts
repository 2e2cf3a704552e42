/**
 * Tracks and duration of Matroska and WebM files (RFC 9559), also of recordings that were never finished: browsers and
 * recording programs write segments and clusters whose size they do not know yet, and no duration.
 *
 * All ids are unique, so the elements are read as one flat sequence: what is of interest is entered, the rest skipped,
 * and elements of unknown size need no special care.
 */
import { type Element, elementAt, floatOf, lengthOf, numberOf, uintOf } from './ebml.ts';
import { type RandomAccess, withFile } from './random-access.ts';
import { MAX_STEPS, MAX_TRACKS, type Tracks } from './tracks.ts';

const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const DURATION = 0x4489;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const TRACK_TYPE = 0x83;
const VIDEO = 0xe0;
const PIXEL_WIDTH = 0xb0;
const PIXEL_HEIGHT = 0xba;
const DISPLAY_WIDTH = 0x54b0;
const DISPLAY_HEIGHT = 0x54ba;
const DISPLAY_UNIT = 0x54b2;
const CLUSTER = 0x1f43b675;
const TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const BLOCK_DURATION = 0x9b;

const ENTERED = new Set([INFO, TRACKS, TRACK_ENTRY, VIDEO, CLUSTER, BLOCK_GROUP]);
/** Values of `TrackType`. */
const [IS_VIDEO, IS_AUDIO] = [1, 2];
/** Nanoseconds: the default of `TimestampScale`. */
const DEFAULT_SCALE = 1_000_000;

/** What was read so far: of each track the numbers by their ids; times in the file's own unit. */
interface Progress {
  scale: number;
  duration: number;
  tracks: Map<number, number>[];
  cluster: number;
  block: number;
  first: number;
  last: number;
}

/** @returns `truncated` for a finished file whose end is missing, and for one that ends before its first track */
export function readMatroska(file: string): Tracks | 'truncated' {
  return withFile(file, (bytes) => {
    const segment = findSegment(bytes);
    if (!segment || (segment.end ?? 0) > bytes.size) return 'truncated';
    const progress = readSegment(bytes, segment);
    return progress.tracks.length > 0 ? tracksOf(progress) : 'truncated';
  });
}

function findSegment(bytes: RandomAccess): Element | undefined {
  let element = elementAt(bytes, 0);
  for (let steps = 0; element && element.id !== SEGMENT && steps < 10; steps++) {
    element = element.end === undefined ? undefined : elementAt(bytes, element.end);
  }
  return element?.id === SEGMENT ? element : undefined;
}

function readSegment(bytes: RandomAccess, segment: Element): Progress {
  const progress: Progress = {
    scale: DEFAULT_SCALE,
    duration: 0,
    tracks: [],
    cluster: 0,
    block: 0,
    first: Number.POSITIVE_INFINITY,
    last: Number.NEGATIVE_INFINITY,
  };
  const end = segment.end ?? bytes.size;
  let steps = 0;
  for (let at = segment.start; at < end; steps++) {
    const element = elementAt(bytes, at);
    // Bytes behind the end, or another recording.
    if (!element || element.id === EBML || element.id === SEGMENT || (element.end ?? 0) > end) break;
    const isKnown = progress.duration > 0 && progress.tracks.length > 0;
    if (element.id === CLUSTER && isKnown) break;
    if (steps > MAX_STEPS) return { ...progress, first: 0, last: 0 };
    note(progress, bytes, element);
    const next = ENTERED.has(element.id) ? element.start : element.end;
    if (next === undefined) break;
    at = next;
  }
  return progress;
}

function note(progress: Progress, bytes: RandomAccess, element: Element): void {
  switch (element.id) {
    case TIMESTAMP_SCALE:
      progress.scale = uintOf(bytes, element);
      break;
    case DURATION:
      progress.duration = floatOf(bytes, element);
      break;
    case TRACK_ENTRY:
      if (progress.tracks.length < MAX_TRACKS) progress.tracks.push(new Map());
      break;
    case TRACK_NUMBER:
    case TRACK_TYPE:
    case PIXEL_WIDTH:
    case PIXEL_HEIGHT:
    case DISPLAY_WIDTH:
    case DISPLAY_HEIGHT:
    case DISPLAY_UNIT:
      progress.tracks.at(-1)?.set(element.id, uintOf(bytes, element));
      break;
    case TIMESTAMP:
      progress.cluster = uintOf(bytes, element);
      break;
    case SIMPLE_BLOCK:
    case BLOCK:
      noteBlock(progress, bytes, element);
      break;
    case BLOCK_DURATION:
      progress.last = Math.max(progress.last, progress.block + uintOf(bytes, element));
      break;
  }
}

/**
 * A block begins with its track's number and its time relative to the cluster, in 2 bytes. Bytes behind the end may look
 * like a block, but hardly like one of a known track.
 */
function noteBlock(progress: Progress, bytes: RandomAccess, { start }: Element): void {
  const header = bytes.read(start, 10);
  const length = lengthOf(header[0]);
  if (length === 0 || header.length < length + 2) return;
  const number = numberOf(header, 0, length);
  if (!progress.tracks.some((track) => track.get(TRACK_NUMBER) === number)) return;
  progress.block = progress.cluster + header.readInt16BE(length);
  progress.first = Math.min(progress.first, progress.block);
  progress.last = Math.max(progress.last, progress.block);
}

function tracksOf({ tracks, scale, duration, first, last }: Progress): Tracks {
  const film = tracks.find((track) => track.get(TRACK_TYPE) === IS_VIDEO);
  return {
    hasVideo: film !== undefined,
    hasAudio: tracks.some((track) => track.get(TRACK_TYPE) === IS_AUDIO),
    duration: ((duration > 0 ? duration : last - first) * scale) / 1e9,
    picture: film && pictureOf(film),
  };
}

/** The size as displayed is given in pixels, or in another unit such as an aspect ratio, or not at all. */
function pictureOf(film: Map<number, number>): Tracks['picture'] {
  const isInPixels = (film.get(DISPLAY_UNIT) ?? 0) === 0;
  const width = (isInPixels && film.get(DISPLAY_WIDTH)) || film.get(PIXEL_WIDTH);
  const height = (isInPixels && film.get(DISPLAY_HEIGHT)) || film.get(PIXEL_HEIGHT);
  return width && height ? { width, height } : undefined;
}
