/** Recordings and films that are cut off, damaged or crafted. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readIsoBmff } from '../../server/media/inspect/iso-bmff.ts';
import { readMatroska } from '../../server/media/inspect/matroska.ts';
import { box } from './containers.ts';
import { inspectionScene } from './inspected.ts';
import { sample } from './samples.ts';

const { fileOf, inspect } = inspectionScene();

/** Where the structure of films lies: boxes of MP4, elements of Matroska. */
const MARKERS = [
  ...['moov', 'tkhd', 'mdhd', 'hdlr', 'stts', 'mvex', 'moof', 'tfhd', 'tfdt', 'trun'].map((type) => Buffer.from(type)),
  ...['18538067', '1549a966', '1654ae6b', '1f43b675'].map((id) => Buffer.from(id, 'hex')),
];
function placesOf(file: Buffer, marker: Buffer): number[] {
  const places = [];
  for (let at = file.indexOf(marker); at >= 0; at = file.indexOf(marker, at + 1)) places.push(at);
  return places;
}

describe('a file whose end is missing', () => {
  const known = [
    'film.mp4',
    'streaming.mp4',
    'film.mov',
    'film.3gp',
    'voice.m4a',
    'film.mkv',
    'film.webm',
    'voice.webm',
  ];
  it.each(known)('%s is refused where that can be told', async (name) => {
    const whole = await sample(name);
    for (const end of [whole.length * 0.1, whole.length * 0.7, whole.length - 1]) {
      await expect(inspect(whole.subarray(0, end)), `${end}`).rejects.toMatchObject({ code: 'validation_failed' });
    }
  });

  it.each(['fragmented film.mp4', 'live film.webm'])('%s is refused when it ends before its tracks', async (name) => {
    const whole = await sample(name);
    await expect(inspect(whole.subarray(0, 60))).rejects.toMatchObject({ code: 'validation_failed' });
  });
});

it.each([
  ['voice.mp3', 3, 'audio/mpeg'],
  ['voice.ogg', 100, 'audio/ogg'],
  ['voice.flac', 8, 'audio/flac'],
])('%s that its parser gives up on is taken for what its first bytes say', async (name, at, mimeType) => {
  const damaged = Buffer.from(await sample(name)).fill(0xfe, at, at + 300);
  expect(await inspect(damaged)).toMatchObject({ mediaType: 'audio', mimeType });
});

describe('a crafted file', () => {
  it('that takes a parser too much memory is taken for what its first bytes say', async () => {
    const frame = Buffer.from('TXXX\0\0\0\x04\0\0\x03a\0b', 'latin1');
    const frames = Buffer.alloc(frame.length * 1_000_000, frame);
    const header = Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1');
    for (const [i, shift] of [21, 14, 7, 0].entries()) header[6 + i] = (frames.length >> shift) & 0x7f;
    const crafted = Buffer.concat([header, frames, await sample('voice.mp3')]);
    expect(await inspect(crafted)).toEqual({ mediaType: 'audio', mimeType: 'audio/mpeg', extension: 'mp3' });
  });

  it('of millions of boxes or elements is taken without a length', async () => {
    const boxes = Buffer.alloc(8 * 2_000_001, box('free'));
    const film = await inspect(Buffer.concat([await sample('fragmented film.mp4'), boxes]));
    expect(film).toEqual({ mediaType: 'video', mimeType: 'video/mp4', extension: 'mp4', width: 160, height: 120 });
    const voids = Buffer.alloc(2 * 2_000_001, Buffer.from([0xec, 0x80]));
    const recording = await inspect(Buffer.concat([await sample('live voice.webm'), voids]));
    expect(recording).toEqual({ mediaType: 'audio', mimeType: 'audio/webm', extension: 'webm' });
  });

  it.each([
    ['film.mp4', readIsoBmff],
    ['half fragmented film.mp4', readIsoBmff],
    ['live film.webm', readMatroska],
    ['film.mkv', readMatroska],
  ])('made from %s is read without an error', async (name, read) => {
    const whole = await sample(name);
    const heads = MARKERS.flatMap((marker) => placesOf(whole, marker));
    const change = fc.record({
      head: fc.constantFrom(...heads),
      offset: fc.integer({ min: -4, max: 60 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
        const crafted = Buffer.from(whole);
        for (const { head, offset, bytes } of changes) Buffer.from(bytes).copy(crafted, head + offset);
        const tracks = read(await fileOf(crafted));
        expect(tracks === 'truncated' || typeof tracks.hasVideo === 'boolean').toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
