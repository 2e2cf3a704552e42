import type { File, Media } from '../../shared/contract/documents.ts';
import type { FileDocument, MediaDocument } from '../model/documents.ts';
import { toWire } from '../model/codec.ts';

/** The wire form of a Media document, without what the server keeps for itself. */
export function toWireMedia({ stored, unsent, used_at, thumbnail_size, ...media }: MediaDocument): Media {
  return toWire(media);
}

/** The wire form of a File document, without what the server keeps for itself. */
export function toWireFile({ stored, unsent, used_at, ...file }: FileDocument): File {
  return toWire(file);
}
