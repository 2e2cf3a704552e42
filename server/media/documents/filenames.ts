/** Stored file names: a storage key and an extension. */
import { newKey } from '../storage/storage.ts';
import type { UploadDocument } from './kinds.ts';

/** @param extension without a dot */
export function newFilename(extension: string): string {
  return `${newKey()}.${extension}`;
}

/** The storage key in a stored file name. */
export function keyOf(filename: string): string {
  return filename.slice(0, filename.indexOf('.'));
}

/** The storage keys of an upload: of its bytes, then of its thumbnail if it has one. */
export function keysOf(document: UploadDocument): string[] {
  const thumbnail = 'thumbnail' in document ? document.thumbnail : undefined;
  return [keyOf(document.filename), ...(thumbnail === undefined ? [] : [keyOf(thumbnail)])];
}
