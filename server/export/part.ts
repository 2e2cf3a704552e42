/** What a part of an export is. */
import type { ObjectId } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import type { MediaStorage } from '../media/storage/storage.ts';
import type { Collections } from '../model/collections.ts';

export interface ExportContext {
  user_id: ObjectId;
  collections: Collections;
  store: Pick<MessageStore, 'of' | 'show'>;
  storage: Pick<MediaStorage, 'read'>;
}

/** A list of the export: a file `NAME.jsonl` with one object a line. */
export interface Part {
  name: string;
  /** What it holds, for the reader. */
  holds: string;
  /**
   * Reads it as it goes, in bounded memory. Fields are named one by one, so that what is added to the store later, a
   * secret perhaps, is not handed out by itself.
   */
  read(context: ExportContext): AsyncIterable<object>;
}

/** A cursor's documents, each made into what is handed out. */
export async function* mapped<T>(documents: AsyncIterable<T>, view: (document: T) => object): AsyncGenerator<object> {
  for await (const document of documents) yield view(document);
}
