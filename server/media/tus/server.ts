/** The tus servers, one for each request. */
import { MemoryLocker, Server } from '@tus/server';
import { ObjectId } from 'mongodb';
import { invalid } from '../../lib/errors.ts';
import type { Append } from '../resumable/append.ts';
import type { ResumableUploads } from '../resumable/resumable-uploads.ts';
import { cleanFilename } from '../upload/original-filename.ts';
import { PATH } from './protocol.ts';
import { createStore } from './store.ts';

export interface TusServerOptions {
  resumable: ResumableUploads;
  append: Append;
  maxUploadBytes: number;
}

/** What the tus server throws, or an error of ours. */
export type TusError = Error | { status_code: number; body: string };

/**
 * Makes a server that acts for a user: it finds no other user's uploads.
 * @param onError told each error before it is answered; returns the answer's status
 */
export type TusServerOf = (userId: ObjectId, onError: (error: TusError) => number) => Server;

export function createTusServers({ resumable, append, maxUploadBytes }: TusServerOptions): TusServerOf {
  // Keeps requests on this node from working on the same upload at once.
  const locker = new MemoryLocker();
  return (userId, onError) =>
    new Server({
      path: PATH,
      datastore: createStore(resumable, append, userId),
      locker,
      maxSize: maxUploadBytes,
      relativeLocation: true,
      namingFunction: () => new ObjectId().toHexString(),
      onUploadCreate: async (_request, { metadata, size }) => ({ metadata: checkedMetadata(metadata, size) }),
      onResponseError: (_request, error) => ({ status_code: onError(error), body: '' }),
    });
}

/**
 * @param size `Upload-Length`
 * @throws ContractError `validation_failed`
 */
function checkedMetadata(metadata: Record<string, string | null> | undefined, size: number | undefined) {
  const { kind = 'file', filename } = metadata ?? {};
  if (!filename) throw invalid('filename', 'is missing in Upload-Metadata');
  if (kind !== 'file' && kind !== 'media') throw invalid('kind', 'must be media or file');
  if (!Number.isSafeInteger(size) || size === 0) throw invalid('upload-length', 'must be the size of a file');
  return { kind, filename: cleanFilename(filename) };
}
