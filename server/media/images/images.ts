/** Processes images with sharp (libvips): checks them, applies the orientation, strips metadata, makes thumbnails. */
import sharp, { type Metadata } from 'sharp';
import { isDiskFull } from '../../lib/disk-full.ts';
import { ContractError, invalid } from '../../lib/errors.ts';
import type { TemporaryFiles } from '../storage/temporary-folder.ts';
import { rotateFrames } from './animations.ts';
import { canDecode, decode, encode, limitDecoders, MAX_PIXELS, undecodable } from './formats.ts';
import { createImageTurns } from './turns.ts';

const THUMBNAIL_SIDE = 512;
const THUMBNAIL_QUALITY = 75;

export interface ProcessedImage {
  file: string;
  /** Bytes. */
  size: number;
  mimeType: string;
  /** Without a dot. */
  extension: string;
  /** Pixels as displayed. */
  width: number;
  height: number;
  thumbnail: { file: string; size: number };
}

export interface Picture {
  file: string;
  /** By content. */
  mimeType: string;
  /** Whose it is. */
  userId: string;
  /** For the files that are made of it. */
  files: TemporaryFiles;
}

export interface Images {
  /**
   * Turns an image into what is stored and served, and makes its thumbnail.
   * @throws ContractError `unsupported_media_type` for a format that is not decoded, `payload_too_large` above 50
   *   megapixels over all frames, `validation_failed` for a damaged image, `rate_limited` or `unavailable` when too
   *   many wait
   */
  process(image: Picture): Promise<ProcessedImage>;
}

/** Runs one thread per image, and takes turns between users. */
export function createImages(): Images {
  sharp.cache(false);
  sharp.concurrency(1);
  limitDecoders();
  const turns = createImageTurns();

  return {
    async process({ file, mimeType, userId, files }) {
      if (!(await canDecode(file, mimeType))) throw undecodable();
      try {
        const metadata = await turns.look(userId, () => sharp(file, { limitInputPixels: false }).metadata());
        const isAnimated = (metadata.format === 'gif' || metadata.format === 'webp') && (metadata.pages ?? 1) > 1;
        const pixels = pixelsOf(metadata, isAnimated);
        if (pixels > MAX_PIXELS) throw tooManyPixels();
        return await turns.process(userId, { pixels, metadata }, () => process(file, metadata, isAnimated, files));
      } catch (error) {
        throw explained(error);
      }
    },
  };
}

async function process(
  file: string,
  metadata: Metadata,
  isAnimated: boolean,
  files: TemporaryFiles,
): Promise<ProcessedImage> {
  const isRotated = isAnimated && (metadata.orientation ?? 1) > 1;
  const image = isRotated
    ? await rotateFrames(file, metadata, files)
    : decode(file, { animated: isAnimated }).autoOrient();

  const optimized = files.newPath();
  const { encoded, mimeType, extension } = encode(image, metadata);
  const stored = await encoded.toFile(optimized);
  return {
    file: optimized,
    size: stored.size,
    mimeType,
    extension,
    width: stored.width,
    // libvips holds an animation as one tall image of all its frames.
    height: stored.pageHeight ?? stored.height,
    thumbnail: await makeThumbnail(file, files.newPath()),
  };
}

/** By the header alone: nothing is decoded yet. */
function pixelsOf({ width, height, pageHeight, pages }: Metadata, isAnimated: boolean): number {
  return width * (pageHeight ?? height) * (isAnimated ? pages! : 1);
}

async function makeThumbnail(file: string, target: string): Promise<{ file: string; size: number }> {
  const { size } = await decode(file)
    .autoOrient()
    .resize(THUMBNAIL_SIDE, THUMBNAIL_SIDE, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: THUMBNAIL_QUALITY })
    .toFile(target);
  return { file: target, size };
}

/** Tells damaged images from failures that are not the client's. */
function explained(error: unknown): unknown {
  if (error instanceof ContractError || isDiskFull(error)) return error;
  return /pixel limit/i.test((error as Error).message) ? tooManyPixels() : invalid('file', 'is a damaged image');
}

const tooManyPixels = () =>
  new ContractError('payload_too_large', `the image has more than ${MAX_PIXELS / 1e6} megapixels over all frames`);
