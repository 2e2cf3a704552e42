import { describe, expect, it } from 'vitest';
import { inspectionScene, near2 } from './inspected.ts';
import { animation, picture, rotatedFilm, sample } from './samples.ts';

const scene = inspectionScene();
const { fileOf } = scene;

describe('video and audio', () => {
  it.each([
    ['film.mp4', { mediaType: 'video', mimeType: 'video/mp4', duration: near2, width: 160, height: 120 }],
    ['streaming.mp4', { mediaType: 'video', mimeType: 'video/mp4', duration: near2, width: 160, height: 120 }],
    ['silent.mp4', { mediaType: 'video', mimeType: 'video/mp4', duration: near2, width: 160, height: 120 }],
    ['film.mov', { mediaType: 'video', mimeType: 'video/quicktime', duration: near2, width: 160, height: 120 }],
    ['film.webm', { mediaType: 'video', mimeType: 'video/webm', duration: near2, width: 160, height: 120 }],
    ['film.mkv', { mediaType: 'video', mimeType: 'video/matroska', duration: near2, width: 160, height: 120 }],
    ['film.avi', { mediaType: 'video', mimeType: 'video/vnd.avi' }],
    ['voice.webm', { mediaType: 'audio', mimeType: 'audio/webm', duration: near2 }],
    ['voice.mp3', { mediaType: 'audio', mimeType: 'audio/mpeg', duration: near2 }],
    ['voice.ogg', { mediaType: 'audio', mimeType: 'audio/ogg', duration: near2 }],
    ['voice.wav', { mediaType: 'audio', mimeType: 'audio/wav', duration: near2 }],
    ['voice.flac', { mediaType: 'audio', mimeType: 'audio/flac', duration: near2 }],
    ['voice.m4a', { mediaType: 'audio', mimeType: 'audio/mp4', duration: near2 }],
  ])('%s is recognised by its content', async (name, expected) => {
    const extension = expect.stringMatching(/^[a-z0-9]+$/);
    expect(await scene.inspection.media(await fileOf(await sample(name)))).toEqual({ ...expected, extension });
  });

  it('a video has its size as displayed', async () => {
    expect(await scene.inspection.media(await fileOf(await rotatedFilm()))).toMatchObject({ width: 120, height: 160 });
  });

  it.each(['film.mp4', 'streaming.mp4', 'film.mov', 'voice.m4a'])(
    '%s is refused when its end is missing',
    async (name) => {
      const whole = await sample(name);
      const cut = await fileOf(whole.subarray(0, whole.length * 0.7));
      await expect(scene.inspection.media(cut)).rejects.toMatchObject({ code: 'validation_failed' });
    },
  );
});

describe('an image', () => {
  const whole = {
    png: () => picture(40, 20).png().toBuffer(),
    'png with a palette': () => picture(40, 20).png({ palette: true }).toBuffer(),
    gif: () => picture(40, 20).gif().toBuffer(),
    'animated gif': () => animation('gif', 3),
  };

  it.each(Object.keys(whole) as (keyof typeof whole)[])(
    'of kind %s needs its last byte, whatever follows it',
    async (kind) => {
      const bytes = await whole[kind]();
      for (const good of [bytes, Buffer.concat([bytes, Buffer.from('and more')])]) {
        expect(await scene.inspection.media(await fileOf(good))).toMatchObject({ mediaType: 'image' });
      }
      for (const missing of [1, 4, 8, 12]) {
        const cut = scene.inspection.media(await fileOf(bytes.subarray(0, -missing)));
        await expect(cut, `${missing}`).rejects.toMatchObject({ code: 'validation_failed' });
      }
    },
  );

  it.each(['png', 'tiff'] as const)('is recognised as %s by its first bytes alone', async (format) => {
    const bytes = await picture(40, 20).toFormat(format).toBuffer();
    for (const length of [8, 12, 20, 100]) {
      const file = await fileOf(bytes.subarray(0, length));
      expect((await scene.inspection.file(file)).mimeType).toBe(`image/${format}`);
    }
  });
});

describe('other files', () => {
  it.each([
    ['text', 'Grüße\nan alle', 'text/plain'],
    ['long text, cut inside a character', 'ä'.repeat(5000), 'text/plain'],
    ['text that begins like a film', 'The free world', 'text/plain'],
    ['a web page', '<!doctype html><script>alert(1)</script>', 'text/plain'],
    ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'text/plain'],
    ['bytes', Buffer.from([1, 2, 3, 0, 255]), 'application/octet-stream'],
    ['a PDF', '%PDF-1.7\n', 'application/pdf'],
  ])('%s gets a harmless type', async (_name, content, mimeType) => {
    const file = await fileOf(content);
    expect((await scene.inspection.file(file)).mimeType).toBe(mimeType);
    await expect(scene.inspection.media(file)).rejects.toMatchObject({ code: 'unsupported_media_type' });
  });

  it('an image is recognised among files', async () => {
    const file = await fileOf(await picture().png().toBuffer());
    expect(await scene.inspection.file(file)).toEqual({ mimeType: 'image/png', extension: 'png' });
  });
});
