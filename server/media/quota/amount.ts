import type { PendingUploadDocument } from '../../model/documents/media.ts';

/** What an upload holds in its uploader's quota, in bytes. */
export interface Amount {
  /** What is stored or will be: this is certain. */
  bytes: number;
  /** What a request is bringing, at least. It counts against others that begin, and no longer once it has arrived. */
  expected: number;
}

/** What an upload under way counts for, by its note. */
export function amountOf(note: Pick<PendingUploadDocument, 'bytes' | 'expected'> | null): Amount {
  return { bytes: note?.bytes ?? 0, expected: note?.expected ?? 0 };
}
