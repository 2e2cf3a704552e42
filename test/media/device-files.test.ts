/** Files as phones, browsers and recording programs write them: what players play is taken. */
import { describe, expect, it } from 'vitest';
import { appendTo, box, boxesOf, changeBox, withUnknownSizes } from './containers.ts';
import { FILM, inspectionScene, near2, VOICE } from './inspected.ts';
import { sample } from './samples.ts';

const { inspect } = inspectionScene();
const ZERO = Buffer.alloc(4);

describe('by its kind', () => {
  it.each([
    ['film.3gp', { ...FILM, mimeType: 'video/3gpp' }],
    ['film.3g2', { ...FILM, mimeType: 'video/3gpp2' }],
    ['voice.3gp', { ...VOICE, mimeType: 'audio/3gpp' }],
    ['voice.3g2', { ...VOICE, mimeType: 'audio/3gpp2' }],
    ['voice.opus', { ...VOICE, mimeType: 'audio/ogg' }],
    ['voice.aac', { ...VOICE, mimeType: 'audio/aac' }],
    ['voice.mka', { ...VOICE, mimeType: 'audio/matroska' }],
    ['voice.caf', { mediaType: 'audio', mimeType: 'audio/x-caf' }],
    ['film.ogv', { mediaType: 'video', mimeType: 'video/ogg', duration: near2 }],
    ['live film.webm', { ...FILM, mimeType: 'video/webm' }],
    ['live film.mkv', { ...FILM, mimeType: 'video/matroska' }],
    ['live screen.webm', { ...FILM, mimeType: 'video/webm' }],
    ['live voice.webm', { ...VOICE, mimeType: 'audio/webm' }],
    ['fragmented film.mp4', { ...FILM, mimeType: 'video/mp4' }],
    ['half fragmented film.mp4', { ...FILM, mimeType: 'video/mp4' }],
    ['fragmented voice.mp4', { ...VOICE, mimeType: 'audio/mp4' }],
  ])('%s is taken', async (name, expected) => {
    expect(await inspect(await sample(name))).toEqual({ ...expected, extension: expect.any(String) });
  });

  it.each(['3gp4', '3gp5', '3gp6', '3g2a'])('of brand %s, sound alone is audio and a film is video', async (brand) => {
    const [voice, film] = await Promise.all([sample('voice.3gp'), sample('film.3gp')]);
    const branded = (file: Buffer) => Buffer.concat([file.subarray(0, 8), Buffer.from(brand), file.subarray(12)]);
    expect(await inspect(branded(voice))).toMatchObject(VOICE);
    expect(await inspect(branded(film))).toMatchObject(FILM);
  });

  it('sound in a codec that no parser here knows is audio', async () => {
    const voice = Buffer.from(await sample('voice.3gp'));
    voice.write('samr', voice.indexOf('mp4a'), 'latin1');
    expect(await inspect(voice)).toMatchObject({ ...VOICE, mimeType: 'audio/3gpp' });
  });

  it('an Ogg file is audio also when a description of its streams comes first', async () => {
    const skeleton = Buffer.concat([Buffer.from('fishead\0'), Buffer.alloc(56)]);
    const page = Buffer.concat([Buffer.from('OggS\0\x02'), Buffer.alloc(20), Buffer.from([1, 64]), skeleton]);
    const described = Buffer.concat([page, await sample('voice.opus')]);
    expect(await inspect(described)).toMatchObject({ mediaType: 'audio', mimeType: 'audio/ogg' });
  });

  it.each([0, 0xffff_ffff])('a WAV that was streamed, with lengths of %i, is taken', async (length) => {
    const wav = Buffer.from(await sample('voice.wav'));
    wav.writeUInt32LE(length, 4);
    wav.writeUInt32LE(length, wav.indexOf('data') + 4);
    expect(await inspect(wav)).toMatchObject({ mediaType: 'audio', mimeType: 'audio/wav' });
  });
});

describe('a recording without known sizes', () => {
  it.each([
    ['live film.webm', FILM],
    ['live film.mkv', FILM],
    ['live screen.webm', FILM],
    ['live voice.webm', VOICE],
    ['film.webm', FILM],
    ['screen.webm', FILM],
    ['voice.webm', VOICE],
  ])('%s is taken with its kind and length', async (name, expected) => {
    expect(await inspect(withUnknownSizes(await sample(name)))).toMatchObject(expected);
  });

  it.each(['live film.webm', 'live film.mkv'])('%s that breaks off is as long as what is there', async (name) => {
    const whole = await sample(name);
    const half = withUnknownSizes(whole).subarray(0, whole.length / 2);
    const { duration, ...rest } = await inspect(half);
    expect(rest).toMatchObject({ mediaType: 'video', width: 160, height: 120 });
    expect(duration).toBeGreaterThan(0.1);
    expect(duration).toBeLessThan(1.9);
  });

  it('ends where the next one begins', async () => {
    const [film, voice] = await Promise.all([sample('live film.webm'), sample('live voice.webm')]);
    expect(await inspect(Buffer.concat([withUnknownSizes(film), withUnknownSizes(voice)]))).toMatchObject(FILM);
  });
});

describe('a fragmented film', () => {
  it.each([1, 321, 0xffff_ffff])('does not believe a header that says %i units of time', async (units) => {
    let voice = await sample('fragmented voice.mp4');
    const lie = (content: Buffer) => {
      const changed = Buffer.from(content);
      changed.writeUInt32BE(units, 16);
      return changed;
    };
    voice = changeBox(voice, ['moov', 'mvhd'], lie);
    voice = changeBox(voice, ['moov', 'trak', 'mdia', 'mdhd'], lie);
    expect(await inspect(voice)).toMatchObject(VOICE);
  });

  it('is as long also where fragments do not say when they begin', async () => {
    const voice = await sample('fragmented voice.mp4');
    const untimed = changeBox(voice, ['moof', 'traf'], (content) =>
      Buffer.concat(boxesOf(content).flatMap(({ type, bytes }) => (type === 'tfdt' ? [] : bytes))),
    );
    expect(untimed.length).toBeLessThan(voice.length);
    expect(await inspect(untimed)).toMatchObject(VOICE);
  });

  it('is as long as what is there where it does not begin at zero', async () => {
    const voice = await sample('fragmented voice.mp4');
    const later = changeBox(voice, ['moof', 'traf', 'tfdt'], (content) => {
      const changed = Buffer.from(content);
      changed.writeBigUInt64BE(changed.readBigUInt64BE(4) + 44_100n * 3600n, 4);
      return changed;
    });
    expect(await inspect(later)).toMatchObject(VOICE);
  });

  it('without any fragment has no length', async () => {
    const header = boxesOf(await sample('fragmented voice.mp4')).slice(0, 2);
    const { duration, mediaType } = await inspect(Buffer.concat(header.map(({ bytes }) => bytes)));
    expect([mediaType, duration]).toEqual(['audio', undefined]);
  });
});

describe('bytes behind the end', () => {
  const tails: Record<string, Buffer> = {
    'a zero': Buffer.alloc(1),
    zeros: Buffer.alloc(512),
    ones: Buffer.alloc(100, 0xff),
    text: Buffer.from('<html>an error page that was appended</html>'),
    'an ID3 tag': Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125)]),
    'what looks like a block of a fifth track, half a minute later': Buffer.from('a384857fff00', 'hex'),
    'a box of its own': box('sefd', Buffer.alloc(20)),
    'padding that breaks off': box('free', Buffer.alloc(100)).subarray(0, 50),
  };
  const files = ['film.mp4', 'streaming.mp4', 'fragmented film.mp4', 'film.mov', 'film.3gp', 'film.mkv', 'film.webm'];

  it.each([...files, 'live film.webm'])('of %s do no harm', async (name) => {
    const whole = await sample(name);
    for (const [tail, bytes] of Object.entries(tails)) {
      expect(await inspect(Buffer.concat([whole, bytes])), tail).toMatchObject(FILM);
      if (!name.endsWith('.webm')) continue;
      expect(await inspect(Buffer.concat([withUnknownSizes(whole), bytes])), tail).toMatchObject(FILM);
    }
  });

  it.each(['voice.m4a', 'voice.webm', 'voice.mp3', 'voice.ogg', 'voice.flac', 'voice.wav', 'voice.aac'])(
    'of %s do no harm',
    async (name) => {
      const whole = await sample(name);
      for (const [tail, bytes] of Object.entries(tails)) {
        expect(await inspect(Buffer.concat([whole, bytes])), tail).toMatchObject(VOICE);
      }
    },
  );
});

describe('the boxes of a film', () => {
  const place = box('\xa9xyz', Buffer.from([0, 18, 0x15, 0xc7]), Buffer.from('+52.5000+013.4000/'));

  it.each([
    ['film.mov', FILM],
    ['film.mp4', FILM],
    ['voice.m4a', VOICE],
  ])('%s may end lists of user data with 32 bits of zero', async (name, expected) => {
    const file = await sample(name);
    for (const list of [[place, ZERO], [ZERO], [place], []]) {
      expect(await inspect(appendTo(file, ['moov'], box('udta', ...list)))).toMatchObject(expected);
      expect(await inspect(appendTo(file, ['moov', 'trak'], box('udta', ...list)))).toMatchObject(expected);
    }
  });

  it('may lie between padding, in any order, with or without a type of file', async () => {
    const [type, ...rest] = boxesOf(await sample('film.mov')).map(({ bytes }) => bytes);
    const padding = [box('wide'), box('free'), box('skip', Buffer.alloc(30)), box('free', Buffer.alloc(1000))];
    for (const start of [[type!], ...padding.map((bytes) => [bytes]), []]) {
      const film = Buffer.concat([...start, ...rest.flatMap((bytes) => [...padding, bytes]), ...padding]);
      expect(await inspect(film)).toMatchObject({ ...FILM, mimeType: 'video/quicktime' });
    }
  });

  it('may have sizes of 64 bits, and the last one none', async () => {
    const boxes = boxesOf(await sample('streaming.mp4'));
    const withSize = (size: number, long?: bigint) =>
      Buffer.concat(
        boxes.map(({ type, bytes }) => {
          if (type !== 'mdat') return bytes;
          const header = Buffer.alloc(long === undefined ? 8 : 16);
          header.writeUInt32BE(size);
          header.write('mdat', 4);
          if (long !== undefined) header.writeBigUInt64BE(long, 8);
          return Buffer.concat([header, bytes.subarray(8)]);
        }),
      );
    const content = boxes.find(({ type }) => type === 'mdat')!.bytes.length - 8;
    expect(await inspect(withSize(0))).toMatchObject(FILM);
    expect(await inspect(withSize(1, BigInt(content + 16)))).toMatchObject(FILM);
    const tooLong = inspect(withSize(1, 2n ** 60n));
    await expect(tooLong).rejects.toMatchObject({ code: 'validation_failed' });
  });
});
