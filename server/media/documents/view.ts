/** The wire form of uploads: what is stored, without the fields that the server keeps to itself. */
import type { File, Media } from '../../../shared/contract/documents.ts';
import { toWire } from '../../model/codec.ts';
import type { FileDocument, MediaDocument } from '../../model/documents/media.ts';
import type { UploadDocument } from './kinds.ts';

/** The body that answers a request for an upload. */
export function toAnswer(document: UploadDocument): { media: Media } | { file: File } {
  return 'media_type' in document ? { media: toWireMedia(document) } : { file: toWireFile(document) };
}

function toWireMedia({ stored, unsent, used_at, thumbnail_size, ...media }: MediaDocument): Media {
  return toWire(media);
}

function toWireFile({ stored, unsent, used_at, ...file }: FileDocument): File {
  return toWire(file);
}
