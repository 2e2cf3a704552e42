import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createImages } from '../../server/media/images/images.ts';
import { newKey } from '../../server/media/storage/storage.ts';
import type { TemporaryFiles } from '../../server/media/storage/temporary-folder.ts';
import { animation, picture, pngOfClaimedSize } from './samples.ts';

const images = createImages();
let directory: string;
let files: TemporaryFiles;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'letsapp-images-'));
  files = { newPath: () => path.join(directory, newKey()) };
});
afterAll(() => rm(directory, { recursive: true }));

async function process(content: Buffer, mimeType: string) {
  const file = files.newPath();
  await writeFile(file, content);
  const image = await images.process(file, mimeType, files);
  return { ...image, bytes: await readFile(image.file), small: await readFile(image.thumbnail.file) };
}
/** The server reads images from files alone; so must whoever shares its process. */
async function look(bytes: Buffer) {
  const file = files.newPath();
  await writeFile(file, bytes);
  return sharp(file, { animated: true }).metadata();
}

describe('an image', () => {
  it.each([
    ['jpeg', 'image/jpeg', 'image/jpeg'],
    ['png', 'image/png', 'image/png'],
    ['webp', 'image/webp', 'image/webp'],
    ['gif', 'image/gif', 'image/gif'],
    ['tiff', 'image/tiff', 'image/jpeg'],
    ['avif', 'image/avif', 'image/jpeg'],
  ] as const)('%s is written anew with its size and a thumbnail', async (format, mimeType, stored) => {
    const found = await process(await picture(700, 350).toFormat(format).toBuffer(), mimeType);
    expect(found).toMatchObject({ mimeType: stored, width: 700, height: 350, size: found.bytes.length });
    expect(found.thumbnail.size).toBe(found.small.length);
    expect(await look(found.small)).toMatchObject({ format: 'webp', width: 512, height: 256 });
  });

  it('smaller than a thumbnail is not blown up', async () => {
    const { small } = await process(await picture(3, 2).png().toBuffer(), 'image/png');
    expect(await look(small)).toMatchObject({ width: 3, height: 2 });
  });

  it('is turned as it is to be seen, and loses where it was taken', async () => {
    const taken = await picture(60, 40)
      .withExif({ IFD0: { Copyright: 'SECRET-OWNER' }, IFD3: { GPSLatitude: '52/1 31/1 0/1' } })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET-PLACE</x:xmpmeta>')
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    expect((await look(taken)).orientation).toBe(6);
    const found = await process(taken, 'image/jpeg');
    expect(found).toMatchObject({ width: 40, height: 60 });
    const { exif, xmp, orientation, width } = await look(found.bytes);
    expect({ exif, xmp, orientation, width }).toEqual({
      exif: undefined,
      xmp: undefined,
      orientation: undefined,
      width: 40,
    });
    expect(found.bytes.includes('SECRET')).toBe(false);
    expect(found.small.includes('SECRET')).toBe(false);
    expect(await look(found.small)).toMatchObject({ width: 40, height: 60 });
  });

  it.each(['gif', 'webp'] as const)('that moves still moves: %s', async (format) => {
    const found = await process(await animation(format, 3, 32, 24), `image/${format}`);
    expect(found).toMatchObject({ mimeType: `image/${format}`, width: 32, height: 24 });
    expect(await look(found.bytes)).toMatchObject({ pages: 3, delay: [100, 100, 100] });
  });
});

describe('an animation', () => {
  /** The colours of red, green and blue are those of the three frames. */
  const frames = async (bytes: Buffer) => {
    const file = files.newPath();
    await writeFile(file, bytes);
    const shown = [0, 1, 2].map((page) => sharp(file, { page }).removeAlpha().raw().toBuffer());
    return (await Promise.all(shown)).map((pixels) =>
      pixels.subarray(0, 3).indexOf(Math.max(...pixels.subarray(0, 3))),
    );
  };

  it.each([
    [1, 32, 24],
    [3, 32, 24],
    [6, 24, 32],
    [7, 24, 32],
  ])('of orientation %i is turned frame by frame', async (orientation, width, height) => {
    const file = files.newPath();
    await writeFile(file, await animation('webp', 3, 32, 24));
    const turned = await sharp(file, { animated: true }).withMetadata({ orientation }).webp({ loop: 2 }).toBuffer();
    const found = await process(turned, 'image/webp');
    expect(found).toMatchObject({ mimeType: 'image/webp', width, height });
    const { pages, pageHeight, delay, loop, exif } = await look(found.bytes);
    expect({ pages, pageHeight, delay, loop, exif }).toEqual({
      pages: 3,
      pageHeight: height,
      delay: [100, 100, 100],
      loop: 2,
      exif: undefined,
    });
    expect(await frames(found.bytes)).toEqual([0, 1, 2]);
    expect(await look(found.small)).toMatchObject({ width, height });
  });
});

describe('refused', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)(
    'a %s of which the end is missing',
    async (format) => {
      const noise = sharp({
        create: {
          width: 200,
          height: 200,
          channels: 3,
          background: '#888888',
          noise: { type: 'gaussian', mean: 128, sigma: 60 },
        },
      });
      const whole = await noise.toFormat(format).toBuffer();
      const cut = whole.subarray(0, Math.floor(whole.length * 0.6));
      await expect(process(cut, `image/${format}`)).rejects.toMatchObject({ code: 'validation_failed' });
    },
  );

  it('bytes that are no image, whatever they say', async () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(500)]);
    await expect(process(bytes, 'image/jpeg')).rejects.toMatchObject({ code: 'validation_failed' });
  });

  it('more than 50 megapixels, before any is decoded', async () => {
    const started = Date.now();
    await expect(process(await pngOfClaimedSize(60_000, 60_000), 'image/png')).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it('more than 50 megapixels over all frames', async () => {
    const large = await animation('gif', 60, 1000, 1000);
    await expect(process(large, 'image/gif')).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it.each(['image/heic', 'image/bmp', 'image/apng', 'image/vnd.adobe.photoshop', 'image/svg+xml'])(
    '%s, which is not decoded',
    async (mimeType) => {
      await expect(process(Buffer.alloc(100), mimeType)).rejects.toMatchObject({ code: 'unsupported_media_type' });
    },
  );

  it('a drawing in the clothes of a picture', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    );
    await expect(process(svg, 'image/png')).rejects.toMatchObject({ code: 'validation_failed' });
  });
});
