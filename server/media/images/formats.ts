/** Which image formats are decoded, and which each is stored in. */
import { open } from 'node:fs/promises';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { ContractError } from '../../lib/errors.ts';

/** Over all frames (PROTOCOL section 9): 200 MB once decoded. */
export const MAX_PIXELS = 50_000_000;
/** Longest time for one step of an image, in seconds; only a crafted image needs more. */
const TIMEOUT_S = 60;
const QUALITY = 85;

/** The loader in libvips of each format that is decoded. */
const LOADERS: Record<string, string> = {
  'image/jpeg': 'VipsForeignLoadJpegFile',
  'image/png': 'VipsForeignLoadPngFile',
  'image/webp': 'VipsForeignLoadWebpFile',
  'image/gif': 'VipsForeignLoadNsgifFile',
  'image/tiff': 'VipsForeignLoadTiffFile',
  'image/avif': 'VipsForeignLoadHeifFile',
};

/** Disables every other loader in this process. */
export function limitDecoders(): void {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: Object.values(LOADERS) });
}

/** @param mimeType the type by content */
export async function canDecode(file: string, mimeType: string): Promise<boolean> {
  return mimeType in LOADERS && !(await isImageSequence(file));
}

/** Whether a file is an AVIF animation, by its brand: sharp would decode the first frame only. */
async function isImageSequence(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(12), 0, 12, 0);
    return buffer.toString('latin1', 4) === 'ftypavis';
  } finally {
    await handle.close();
  }
}

/** Opens an image with limits on its pixels and on the time it takes. Fails on any damage. */
export function decode(from: string | string[], options: SharpOptions = {}): Sharp {
  const guarded = { ...options, failOn: 'error', limitInputPixels: MAX_PIXELS } as const;
  return sharp(from, guarded).timeout({ seconds: TIMEOUT_S });
}

/** Encodes an image in its own format where browsers show that, else as JPEG, or PNG if it has transparency. */
export function encode(image: Sharp, { format, hasAlpha, delay, loop = 0 }: Metadata) {
  if (format === 'gif') return { encoded: image.gif({ effort: 4 }), mimeType: 'image/gif', extension: 'gif' };
  if (format === 'webp') {
    const timing = delay ? { delay, loop } : {};
    return { encoded: image.webp({ quality: QUALITY, ...timing }), mimeType: 'image/webp', extension: 'webp' };
  }
  if (format === 'png' || hasAlpha) return { encoded: image.png(), mimeType: 'image/png', extension: 'png' };
  return { encoded: image.jpeg({ quality: QUALITY }), mimeType: 'image/jpeg', extension: 'jpg' };
}

export const undecodable = () => new ContractError('unsupported_media_type', 'images of this format cannot be decoded');
