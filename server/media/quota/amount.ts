import type { PendingUploadDocument } from '../../model/documents/media.ts';

/** What an upload holds in its uploader's quota, in bytes. */
export interface Amount {
  /** Of what is stored or will be: this is certain. */
  bytes: number;
  /** Of what a request is bringing, at least. It bars others that begin, and does not count once it has arrived. */
  expected: number;
}

/** What an upload under way counts by its note. */
export function amountOf(note: Pick<PendingUploadDocument, 'bytes' | 'expected'> | null): Amount {
  return { bytes: note?.bytes ?? 0, expected: note?.expected ?? 0 };
}
