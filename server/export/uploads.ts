/** A user's uploads with their bytes; and those that the user received in conversations of two. */
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ObjectId } from 'mongodb';
import { keyOf } from '../media/documents/filenames.ts';
import { kindsOf, type UploadDocument } from '../media/documents/kinds.ts';
import { toAnswer } from '../media/documents/view.ts';
import { NotStored } from '../media/storage/storage.ts';
import { pairsOf } from './message-parts.ts';
import type { ExportContext } from './part.ts';

const FOLDER = 'uploads';

/** Where the bytes of an upload were written; undefined where they are gone. */
type Written = string | undefined;

/**
 * Writes the bytes of each upload to a file in `uploads/`, named after its id.
 * @param folder that of the export
 * @returns as it goes, what is known of each, with the name of its file
 */
export async function* exportUploads(context: ExportContext, folder: string): AsyncGenerator<object> {
  await mkdir(path.join(folder, FOLDER), { mode: 0o700 });
  const { media, file } = kindsOf(context.collections);
  for (const { collection } of [media, file]) {
    for await (const upload of collection.find({ uploader_id: context.user_id, is_deleted: false })) {
      yield viewOf(upload, await write(context, upload, folder));
    }
  }
  for await (const mediaId of received(context)) {
    const upload = await find(context, mediaId);
    // One that was sent more than once is there already.
    if (!upload || existsSync(path.join(folder, FOLDER, nameOf(upload)))) continue;
    yield viewOf(upload, await write(context, upload, folder));
  }
}

async function* received(context: ExportContext): AsyncGenerator<ObjectId> {
  const { store, user_id } = context;
  for await (const conversation_id of pairsOf(context)) {
    const messages = store
      .of('direct')
      .find(
        { conversation_id, recipient_id: user_id, 'attachment.media_id': { $exists: true } },
        { projection: { attachment: 1 } },
      );
    for await (const { attachment } of messages) if (attachment) yield attachment.media_id;
  }
}

async function find({ collections }: ExportContext, _id: ObjectId): Promise<UploadDocument | null> {
  const { media, file } = kindsOf(collections);
  const wanted = { _id, is_deleted: false };
  return (await media.collection.findOne(wanted)) ?? (await file.collection.findOne(wanted));
}

async function write({ storage }: ExportContext, upload: UploadDocument, folder: string): Promise<Written> {
  const written = `${FOLDER}/${nameOf(upload)}`;
  const target = path.join(folder, written);
  try {
    const range = { start: 0, end: upload.file_size };
    await pipeline(await storage.read(keyOf(upload.filename), range), createWriteStream(target, { mode: 0o600 }));
    return written;
  } catch (error) {
    if (!(error instanceof NotStored)) throw error;
    await rm(target, { force: true });
    return undefined;
  }
}

/** By the id, never by the name that somebody gave it. */
function nameOf({ _id, filename }: UploadDocument): string {
  return `${_id.toHexString()}${path.extname(filename)}`;
}

function viewOf(upload: UploadDocument, written: Written): object {
  return { ...toAnswer(upload), ...(written === undefined ? { is_missing: true } : { path: written }) };
}
