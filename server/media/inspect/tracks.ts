/** What a reader of a container finds out about its tracks. */
export interface Tracks {
  hasVideo: boolean;
  hasAudio: boolean;
  /** Seconds; undefined where the file does not tell. */
  duration: number | undefined;
  /** Pixels of the first video track as displayed; undefined where the file does not tell. */
  picture: { width: number; height: number } | undefined;
}

/**
 * The most steps (boxes, elements, table entries) for one file, hours of film in small pieces: a file crafted with more
 * gets no duration, and occupies the thread for less than a second.
 */
export const MAX_STEPS = 2_000_000;

/** The most tracks of a file that are looked at. */
export const MAX_TRACKS = 100;
