/** The two kinds of uploads: media (image, video, audio) and files. */
import type { Collection } from 'mongodb';
import type { Collections } from '../../model/collections.ts';
import type { FileDocument, MediaDocument } from '../../model/documents/media.ts';

/** What is stored of an upload, whichever its kind. */
export type UploadDocument = MediaDocument | FileDocument;
export type UploadCollection = Collection<UploadDocument>;

/** What differs between the kinds. */
export interface Kind {
  name: 'media' | 'file';
  path: '/media' | '/files';
  collection: UploadCollection;
  /** The field that counts how often an upload was read. */
  countedIn: 'view_count' | 'download_count';
  /** Whether browsers show an upload or save it. */
  disposition: 'inline' | 'attachment';
}

/** Both kinds, by name. */
export type Kinds = Record<Kind['name'], Kind>;

export function kindsOf({ media, files }: Pick<Collections, 'media' | 'files'>): Kinds {
  return {
    media: {
      name: 'media',
      path: '/media',
      collection: media as unknown as UploadCollection,
      countedIn: 'view_count',
      disposition: 'inline',
    },
    file: {
      name: 'file',
      path: '/files',
      collection: files as unknown as UploadCollection,
      countedIn: 'download_count',
      disposition: 'attachment',
    },
  };
}
