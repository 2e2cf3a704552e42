import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createImages } from '../../server/media/images/images.ts';
import type { TemporaryFiles } from '../../server/media/storage/temporary-folder.ts';
import { animation, gifOfClaimedSize, noise, picture, pngOfClaimedSize } from './samples.ts';

const images = createImages();
let directory: string;
let files: TemporaryFiles;
let serial = 0;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'letsapp-images-'));
  files = { newPath: () => path.join(directory, String(serial++)) };
});
afterAll(() => rm(directory, { recursive: true }));

async function fileOf(content: Buffer): Promise<string> {
  const file = files.newPath();
  await writeFile(file, content);
  return file;
}

async function process(content: Buffer, mimeType: string) {
  const image = await images.process({ file: await fileOf(content), mimeType, userId: 'ann', files });
  return { ...image, bytes: await readFile(image.file), small: await readFile(image.thumbnail.file) };
}

/** Reads from a file: in this process `createImages` has disabled reading from memory. */
const look = async (bytes: Buffer) => sharp(await fileOf(bytes), { animated: true }).metadata();

describe('an image', () => {
  it.each([
    ['jpeg', 'image/jpeg', 'image/jpeg'],
    ['png', 'image/png', 'image/png'],
    ['webp', 'image/webp', 'image/webp'],
    ['gif', 'image/gif', 'image/gif'],
    ['tiff', 'image/tiff', 'image/jpeg'],
    ['avif', 'image/avif', 'image/jpeg'],
  ] as const)('of format %s is encoded again, with its size and a thumbnail', async (format, mimeType, stored) => {
    const found = await process(await picture(700, 350).toFormat(format).toBuffer(), mimeType);
    expect(found).toMatchObject({ mimeType: stored, width: 700, height: 350, size: found.bytes.length });
    expect(found.thumbnail.size).toBe(found.small.length);
    expect(await look(found.small)).toMatchObject({ format: 'webp', width: 512, height: 256 });
  });

  it('smaller than a thumbnail is not enlarged', async () => {
    const { small } = await process(await picture(3, 2).png().toBuffer(), 'image/png');
    expect(await look(small)).toMatchObject({ width: 3, height: 2 });
  });

  it('is rotated as its metadata says, and loses all metadata', async () => {
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

  it.each(['gif', 'webp'] as const)('of format %s keeps its animation', async (format) => {
    const found = await process(await animation(format, 3, 32, 24), `image/${format}`);
    expect(found).toMatchObject({ mimeType: `image/${format}`, width: 32, height: 24 });
    expect(await look(found.bytes)).toMatchObject({ pages: 3, delay: [100, 100, 100] });
  });
});

describe('an animation', () => {
  /** The channel that dominates each frame: of a sample, red, green, blue. */
  const frames = async (bytes: Buffer) => {
    const file = await fileOf(bytes);
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
  ])('of orientation %i is rotated frame by frame', async (orientation, width, height) => {
    const file = await fileOf(await animation('webp', 3, 32, 24));
    const rotated = await sharp(file, { animated: true }).withMetadata({ orientation }).webp({ loop: 2 }).toBuffer();
    const found = await process(rotated, 'image/webp');
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

describe('refuses', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)('a %s whose end is missing', async (format) => {
    const whole = await noise(64).toFormat(format).toBuffer();
    const cut = whole.subarray(0, Math.floor(whole.length * 0.6));
    await expect(process(cut, `image/${format}`)).rejects.toMatchObject({ code: 'validation_failed' });
  });

  it('bytes that only begin like an image', async () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(500)]);
    await expect(process(bytes, 'image/jpeg')).rejects.toMatchObject({ code: 'validation_failed' });
  });

  it('more than 50 megapixels, before anything is decoded', async () => {
    const bomb = await fileOf(await pngOfClaimedSize(60_000, 60_000));
    const made = serial;
    await expect(images.process({ file: bomb, mimeType: 'image/png', userId: 'ann', files })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    expect(serial).toBe(made);
  });

  it('more than 50 megapixels over all frames, before anything is decoded', async () => {
    const bomb = await fileOf(await gifOfClaimedSize(13, 2000, 2000));
    const made = serial;
    await expect(images.process({ file: bomb, mimeType: 'image/gif', userId: 'ann', files })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    expect(serial).toBe(made);
    expect(await process(await gifOfClaimedSize(2, 2000, 2000), 'image/gif')).toMatchObject({ width: 2000 });
  });

  it.each(['image/heic', 'image/bmp', 'image/apng', 'image/vnd.adobe.photoshop', 'image/svg+xml'])(
    'the format %s, which is not decoded',
    async (mimeType) => {
      await expect(process(Buffer.alloc(100), mimeType)).rejects.toMatchObject({ code: 'unsupported_media_type' });
    },
  );

  it('an SVG that claims to be a PNG', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    );
    await expect(process(svg, 'image/png')).rejects.toMatchObject({ code: 'validation_failed' });
  });
});
