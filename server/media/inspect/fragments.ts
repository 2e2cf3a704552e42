/**
 * The length of a fragmented MP4 file, as browsers record it: its header speaks of the first samples or of none, so the
 * fragments (`moof`, ISO/IEC 14496-12, section 8.8) are added up.
 */
import { type Allowance, type Box, boxesWithin, boxIn, uint32At, uint64At } from './boxes.ts';
import type { RandomAccess } from './random-access.ts';

/** A track as the header describes it. */
export interface FragmentedTrack {
  /** Units of time in a second. */
  timescale: number;
  /** The length of the samples that the header itself lists, in units of time. */
  listed: number;
  /** The duration of a sample that says nothing else, in units of time. */
  sampleDuration: number;
}

export interface Fragments {
  /** Takes the next fragment. */
  add(moof: Box): void;
  /** @returns seconds from the start of the first track to the end of the last; undefined without any sample */
  duration(): number | undefined;
}

/** Bits of the flags of `tfhd` and `trun`: which fields are there. */
const TFHD_BASE = 0x1;
const TFHD_DESCRIPTION = 0x2;
const TFHD_DURATION = 0x8;
const TRUN_OFFSET = 0x1;
const TRUN_FIRST_FLAGS = 0x4;
const TRUN_DURATION = 0x100;
/** Each is a field of 4 bytes of every sample: its duration, size, flags, and offset of composition. */
const TRUN_FIELDS = [TRUN_DURATION, 0x200, 0x400, 0x800];

/** @param tracks by their ids */
export function createFragments(
  bytes: RandomAccess,
  tracks: Map<number, FragmentedTrack>,
  allowance: Allowance,
): Fragments {
  /** By track, in units of time. */
  const spans = new Map<FragmentedTrack, { start: number; end: number }>();

  /** The version of a box comes first, in a byte of its own. */
  const flagsOf = ({ start }: Box) => uint32At(bytes, start) % 2 ** 24;

  /** `tfhd`: flags, track, then the fields that the flags name. */
  function sampleDuration(tfhd: Box, track: FragmentedTrack): number {
    const flags = flagsOf(tfhd);
    const at = tfhd.start + 8 + (flags & TFHD_BASE ? 8 : 0) + (flags & TFHD_DESCRIPTION ? 4 : 0);
    return flags & TFHD_DURATION ? uint32At(bytes, at) : track.sampleDuration;
  }

  /** `trun`: flags, count, then the fields that the flags name: those of the run, and of each sample. */
  function lengthOf(trun: Box, duration: number): number {
    const [flags, count] = [flagsOf(trun), uint32At(bytes, trun.start + 4)];
    if (!(flags & TRUN_DURATION)) return count * duration;
    const step = 4 * TRUN_FIELDS.filter((field) => flags & field).length;
    let at = trun.start + 8 + (flags & TRUN_OFFSET ? 4 : 0) + (flags & TRUN_FIRST_FLAGS ? 4 : 0);
    let sum = 0;
    for (let i = 0; i < count && at + step <= trun.end && allowance.steps-- > 0; i++, at += step) {
      sum += uint32At(bytes, at);
    }
    return sum;
  }

  function addTrack(traf: Box): void {
    const tfhd = boxIn(bytes, traf, 'tfhd', allowance);
    const track = tfhd && tracks.get(uint32At(bytes, tfhd.start + 4));
    if (!tfhd || !track) return;
    const tfdt = boxIn(bytes, traf, 'tfdt', allowance);
    const isLong = tfdt && bytes.read(tfdt.start, 1)[0] === 1;
    const before = spans.get(track) ?? (track.listed > 0 ? { start: 0, end: track.listed } : undefined);
    // A fragment that does not say when it begins goes on where the last one ended.
    const start = tfdt ? (isLong ? uint64At : uint32At)(bytes, tfdt.start + 4) : (before?.end ?? 0);
    const duration = sampleDuration(tfhd, track);
    let end = start;
    for (const box of boxesWithin(bytes, traf, allowance)) if (box.type === 'trun') end += lengthOf(box, duration);
    spans.set(track, { start: before?.start ?? start, end: Math.max(end, before?.end ?? 0) });
  }

  return {
    add(moof) {
      for (const box of boxesWithin(bytes, moof, allowance)) if (box.type === 'traf') addTrack(box);
    },
    duration() {
      const starts = [...spans].map(([{ timescale }, { start }]) => start / timescale);
      const ends = [...spans].map(([{ timescale }, { end }]) => end / timescale);
      return spans.size > 0 ? Math.max(...ends) - Math.min(...starts) : undefined;
    },
  };
}
