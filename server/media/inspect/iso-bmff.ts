/** Tracks and duration of MP4, 3GP and QuickTime files (ISO/IEC 14496-12, section 8). */
import { type Allowance, type Box, boxesWithin, boxIn, uint32At, uint64At } from './boxes.ts';
import { createFragments, type FragmentedTrack, type Fragments } from './fragments.ts';
import { type RandomAccess, withFile } from './random-access.ts';
import { MAX_STEPS, MAX_TRACKS, type Tracks } from './tracks.ts';

/** Without the end of one of these a film is incomplete; any other box that breaks off is mere padding or index. */
const ESSENTIAL = new Set(['moov', 'moof', 'mdat']);

interface Track extends FragmentedTrack {
  /** What it holds: `vide`, `soun`, or something else. */
  handler: string;
  /** Seconds. */
  duration: number | undefined;
  picture: Tracks['picture'];
}

/** What the header (`moov`) tells; fragments behind it are added. */
interface Movie {
  tracks: Track[];
  /** Seconds. */
  duration: number | undefined;
  fragments: Fragments;
}

/** @returns `truncated` for a file whose end is missing, or its header */
export function readIsoBmff(file: string): Tracks | 'truncated' {
  return withFile(file, (bytes) => {
    const allowance: Allowance = { steps: MAX_STEPS };
    let movie: Movie | undefined;
    let isFragmented = false;
    for (const box of boxesWithin(bytes, { start: 0, end: bytes.size }, allowance, true)) {
      if (box.end > bytes.size && ESSENTIAL.has(box.type)) return 'truncated';
      if (box.type === 'moov') movie ??= readMovie(bytes, box, allowance);
      if (box.type === 'moof') {
        isFragmented = true;
        movie?.fragments.add(box);
      }
    }
    if (!movie) return 'truncated';
    const { tracks, duration, fragments } = movie;
    const isCounted = allowance.steps > 0;
    return {
      hasVideo: tracks.some(({ handler }) => handler === 'vide'),
      hasAudio: tracks.some(({ handler }) => handler === 'soun'),
      duration: isFragmented ? (isCounted ? fragments.duration() : undefined) : duration,
      picture: tracks.find(({ picture }) => picture)?.picture,
    };
  });
}

function readMovie(bytes: RandomAccess, moov: Box, allowance: Allowance): Movie {
  const mvex = boxIn(bytes, moov, 'mvex', allowance);
  const tracks = new Map<number, Track>();
  for (const box of boxesWithin(bytes, moov, allowance)) {
    if (box.type !== 'trak' || tracks.size === MAX_TRACKS) continue;
    const tkhd = boxIn(bytes, box, 'tkhd', allowance);
    const mdia = boxIn(bytes, box, 'mdia', allowance);
    if (tkhd && mdia) tracks.set(idOf(bytes, tkhd), readTrack(bytes, { tkhd, mdia, isFragmented: !!mvex }, allowance));
  }
  for (const box of mvex ? boxesWithin(bytes, mvex, allowance) : []) {
    const track = box.type === 'trex' && tracks.get(uint32At(bytes, box.start + 4));
    if (track) track.sampleDuration = uint32At(bytes, box.start + 12);
  }
  const mvhd = boxIn(bytes, moov, 'mvhd', allowance);
  const durations = [...tracks.values()].flatMap(({ duration }) => duration ?? []);
  return {
    tracks: [...tracks.values()],
    duration: (mvhd && secondsOf(timesOf(bytes, mvhd))) ?? (durations.length > 0 ? Math.max(...durations) : undefined),
    fragments: createFragments(bytes, tracks, allowance),
  };
}

/** `tkhd`: version and flags, creation, modification, track id; in version 1 the times have 8 bytes each. */
function idOf(bytes: RandomAccess, { start }: Box): number {
  return uint32At(bytes, start + (isVersion1(bytes, start) ? 20 : 12));
}

function readTrack(
  bytes: RandomAccess,
  { tkhd, mdia, isFragmented }: { tkhd: Box; mdia: Box; isFragmented: boolean },
  allowance: Allowance,
): Track {
  const mdhd = boxIn(bytes, mdia, 'mdhd', allowance);
  const hdlr = boxIn(bytes, mdia, 'hdlr', allowance);
  const times = mdhd ? timesOf(bytes, mdhd) : { timescale: 0, duration: 0 };
  const handler = hdlr ? bytes.read(hdlr.start + 8, 4).toString('latin1') : '';
  return {
    handler,
    timescale: Math.max(times.timescale, 1),
    listed: isFragmented ? listedLength(bytes, mdia, allowance) : 0,
    sampleDuration: 0,
    duration: secondsOf(times),
    picture: handler === 'vide' ? displayedSize(bytes, tkhd) : undefined,
  };
}

/** The sum of the table of samples (`stts`): flags, count, then how many have which duration. */
function listedLength(bytes: RandomAccess, mdia: Box, allowance: Allowance): number {
  let box: Box | undefined = mdia;
  for (const type of ['minf', 'stbl', 'stts']) box = box && boxIn(bytes, box, type, allowance);
  let sum = 0;
  for (let at = (box?.start ?? 0) + 8; box && at + 8 <= box.end && allowance.steps-- > 0; at += 8) {
    sum += uint32At(bytes, at) * uint32At(bytes, at + 4);
  }
  return sum;
}

/**
 * `mvhd` and `mdhd`: version and flags, creation, modification, timescale, duration; in version 1 of 8 bytes each but
 * for the timescale.
 * @returns the duration 0 where it is unknown: all ones
 */
function timesOf(bytes: RandomAccess, { start }: Box): { timescale: number; duration: number } {
  const isLong = isVersion1(bytes, start);
  const duration = isLong ? uint64At(bytes, start + 24) : uint32At(bytes, start + 16);
  const isUnknown = duration >= (isLong ? 2 ** 63 : 2 ** 32 - 1);
  return { timescale: uint32At(bytes, start + (isLong ? 20 : 12)), duration: isUnknown ? 0 : duration };
}

function secondsOf({ timescale, duration }: { timescale: number; duration: number }): number | undefined {
  return timescale > 0 && duration > 0 ? duration / timescale : undefined;
}

/** `tkhd` ends with a matrix of 9 fixed-point numbers, width and height. */
function displayedSize(bytes: RandomAccess, { start, end }: Box): Tracks['picture'] {
  const matrixAt = start + (isVersion1(bytes, start) ? 52 : 40);
  if (matrixAt + 44 > end) return undefined;
  const [width, height] = [36, 40].map((at) => Math.round(uint32At(bytes, matrixAt + at) / 65_536)) as [number, number];
  if (width === 0 || height === 0) return undefined;
  // A rotation by 90 degrees either way.
  const isRotated = uint32At(bytes, matrixAt) === 0 && uint32At(bytes, matrixAt + 4) !== 0;
  return isRotated ? { width: height, height: width } : { width, height };
}

function isVersion1(bytes: RandomAccess, start: number): boolean {
  return bytes.read(start, 1)[0] === 1;
}
