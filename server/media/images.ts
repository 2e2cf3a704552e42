/** Images: checked, turned as they are to be seen, rid of metadata, written anew, and a thumbnail (sharp, libvips). */
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { ContractError, invalid } from '../lib/errors.ts';
import type { TemporaryFiles } from './temporary-files.ts';

/** Over all frames (PROTOCOL section 9): 200 MB once decoded. */
const MAX_PIXELS = 50_000_000;
const THUMBNAIL_SIDE = 512;
const QUALITY = 85;
const THUMBNAIL_QUALITY = 75;
/** An image that keeps the encoder busy for longer is refused, in seconds. */
const LONGEST_S = 60;
/** Each is an open file for a while. */
const MAX_TURNED_FRAMES = 300;

/** The formats that are decoded. Everything else that libvips could read has no way in. */
const LOADERS: Record<string, string> = {
  'image/jpeg': 'VipsForeignLoadJpegFile',
  'image/png': 'VipsForeignLoadPngFile',
  'image/webp': 'VipsForeignLoadWebpFile',
  'image/gif': 'VipsForeignLoadNsgifFile',
  'image/tiff': 'VipsForeignLoadTiffFile',
  'image/avif': 'VipsForeignLoadHeifFile',
};

export interface ProcessedImage {
  file: string;
  size: number;
  mimeType: string;
  extension: string;
  width: number;
  height: number;
  thumbnail: { file: string; size: number };
}

export interface Images {
  /**
   * Makes of an image file what is stored and served, and its thumbnail.
   * @param mimeType what its content says it is
   * @throws ContractError `unsupported_media_type` for a format that is not decoded, `payload_too_large` above 50
   *   megapixels over all frames, `validation_failed` for a damaged image
   */
  process(file: string, mimeType: string, files: TemporaryFiles): Promise<ProcessedImage>;
}

/** One thread for an image, and a core left for messages: images wait on the disk for their turn. */
export function createImages(): Images {
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: Object.values(LOADERS) });
  const inTurn = pLimit(Math.min(Math.max(availableParallelism() - 1, 1), 2));

  return {
    async process(file, mimeType, files) {
      if (!(mimeType in LOADERS) || (await isImageSequence(file))) throw undecodable();
      return inTurn(() => process(file, files));
    },
  };
}

async function process(file: string, files: TemporaryFiles): Promise<ProcessedImage> {
  try {
    const metadata = await sharp(file, { limitInputPixels: false }).metadata();
    const isAnimated = (metadata.format === 'gif' || metadata.format === 'webp') && (metadata.pages ?? 1) > 1;
    const pixels = metadata.width * (metadata.pageHeight ?? metadata.height) * (isAnimated ? metadata.pages! : 1);
    if (pixels > MAX_PIXELS) throw tooManyPixels();
    const isTurned = isAnimated && (metadata.orientation ?? 1) > 1;
    const image = isTurned
      ? await turnFrames(file, metadata, files)
      : decode(file, { animated: isAnimated }).autoOrient();

    const optimized = files.newPath();
    const { encoded, mimeType, extension } = encode(image, metadata);
    const whole = await encoded.toFile(optimized);
    const thumbnail = files.newPath();
    const small = await decode(file)
      .autoOrient()
      .resize(THUMBNAIL_SIDE, THUMBNAIL_SIDE, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: THUMBNAIL_QUALITY })
      .toFile(thumbnail);
    return {
      file: optimized,
      size: whole.size,
      mimeType,
      extension,
      width: whole.width,
      // Frames lie below each other in one tall image.
      height: whole.pageHeight ?? whole.height,
      thumbnail: { file: thumbnail, size: small.size },
    };
  } catch (error) {
    if (error instanceof ContractError) throw error;
    const { message } = error as Error;
    if (/pixel limit/i.test(message)) throw tooManyPixels();
    if (/ENOSPC|No space left/i.test(message)) throw error;
    throw invalid('file', 'is a damaged image');
  }
}

function decode(from: string | string[], options: SharpOptions = {}): Sharp {
  const guarded = { ...options, failOn: 'error', limitInputPixels: MAX_PIXELS } as const;
  return sharp(from, guarded).timeout({ seconds: LONGEST_S });
}

/**
 * An animation with each frame turned by itself: turned as the one tall image that they are decoded to, they would
 * change their order or lie side by side.
 */
async function turnFrames(file: string, { pages = 1 }: Metadata, files: TemporaryFiles): Promise<Sharp> {
  if (pages > MAX_TURNED_FRAMES) throw undecodable();
  // Unpacked first: in the animation each frame is drawn upon all before it. TIFF keeps the orientation.
  const unpacked = files.newPath();
  await decode(file, { animated: true }).tiff({ compression: 'none' }).toFile(unpacked);
  const frames = Array.from({ length: pages }, () => files.newPath());
  for (const [page, frame] of frames.entries()) {
    await decode(unpacked, { page }).autoOrient().tiff({ compression: 'none' }).toFile(frame);
  }
  return decode(frames, { join: { animated: true } });
}

/** The format that it is stored in: its own where browsers show it. */
function encode(image: Sharp, { format, hasAlpha, delay, loop = 0 }: Metadata) {
  if (format === 'gif') return { encoded: image.gif({ effort: 4 }), mimeType: 'image/gif', extension: 'gif' };
  if (format === 'webp') {
    const pace = delay ? { delay, loop } : {};
    return { encoded: image.webp({ quality: QUALITY, ...pace }), mimeType: 'image/webp', extension: 'webp' };
  }
  if (format === 'png' || hasAlpha) return { encoded: image.png(), mimeType: 'image/png', extension: 'png' };
  return { encoded: image.jpeg({ quality: QUALITY }), mimeType: 'image/jpeg', extension: 'jpg' };
}

/** Whether it is an animation of a kind of which only the first frame would be decoded: AVIF, by its brand. */
async function isImageSequence(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(12), 0, 12, 0);
    return buffer.toString('latin1', 4) === 'ftypavis';
  } finally {
    await handle.close();
  }
}

const undecodable = () => new ContractError('unsupported_media_type', 'images of this format cannot be decoded');
const tooManyPixels = () =>
  new ContractError('payload_too_large', `more than ${MAX_PIXELS / 1e6} megapixels over all frames`);
