/** Animations whose frames are stored rotated. */
import type { Metadata, Sharp } from 'sharp';
import type { TemporaryFiles } from '../storage/temporary-folder.ts';
import { decode, undecodable } from './formats.ts';

/** Each frame is an open file for a while. */
const MAX_FRAMES = 300;

/**
 * Applies the orientation of an animation frame by frame. libvips decodes it to one tall image; rotating that would
 * reorder the frames or put them side by side.
 * @throws ContractError `unsupported_media_type` above 300 frames
 */
export async function rotateFrames(file: string, { pages = 1 }: Metadata, files: TemporaryFiles): Promise<Sharp> {
  if (pages > MAX_FRAMES) throw undecodable();
  // Unpacked first, because each frame may be drawn over those before it. TIFF keeps the orientation.
  const unpacked = files.newPath();
  await decode(file, { animated: true }).tiff({ compression: 'none' }).toFile(unpacked);
  const frames = Array.from({ length: pages }, () => files.newPath());
  for (const [page, frame] of frames.entries()) {
    await decode(unpacked, { page }).autoOrient().tiff({ compression: 'none' }).toFile(frame);
  }
  return decode(frames, { join: { animated: true } });
}
