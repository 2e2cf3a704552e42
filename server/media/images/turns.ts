/** When each picture is processed: in turns between users, and none behind a much costlier one. */
import type { Metadata } from 'sharp';
import { createTieredQueue, type TieredQueue } from '../../lib/tiered-queue.ts';

/** The classes of pictures by what they cost: icons and screenshots, photos, long animations. */
const CLASSES = { small: 0, medium: 1, large: 2 };
/** Together they leave one of the four threads that Node has for this and for files. */
const LIMITS = [
  { most: 3, mostPerUser: 2 },
  { most: 2, mostPerUser: 1 },
  { most: 1, mostPerUser: 1 },
];
/** The highest costs of the classes; a pixel of a photo costs 1. */
const SMALL_COST = 4_000_000;
const MEDIUM_COST = 32_000_000;
/** What a pixel costs to decode and encode in an animation, as measured. */
const ANIMATION_WEIGHTS: Record<string, number> = { gif: 8, webp: 3 };
/** More than a user may send in some minutes, and those of several. Each waiting picture is a temporary file. */
const MOST_WAITING_PER_USER = 500;
const MOST_WAITING = 2000;

export interface ImageTurns {
  /** Reads a header. */
  look<T>(userId: string, task: () => Promise<T>): Promise<T>;
  /**
   * Processes a picture.
   * @param pixels over all frames
   */
  process<T>(userId: string, picture: { pixels: number; metadata: Metadata }, task: () => Promise<T>): Promise<T>;
}

/** Both throw what `TieredQueue` throws. */
export function createImageTurns(): ImageTurns {
  const queue: TieredQueue = createTieredQueue({
    name: 'pictures',
    classes: LIMITS,
    mostWaitingPerUser: MOST_WAITING_PER_USER,
    mostWaiting: MOST_WAITING,
  });
  return {
    look: (userId, task) => queue.run(userId, CLASSES.small, task),
    process: (userId, { pixels, metadata }, task) => queue.run(userId, classOf(pixels, metadata), task),
  };
}

function classOf(pixels: number, { format, pages = 1 }: Metadata): number {
  const cost = pixels * ((pages > 1 && ANIMATION_WEIGHTS[format]) || 1);
  if (cost <= SMALL_COST) return CLASSES.small;
  return cost <= MEDIUM_COST ? CLASSES.medium : CLASSES.large;
}
