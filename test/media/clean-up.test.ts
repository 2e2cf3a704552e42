import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbedded } from '../../server/embedded/start.ts';
import { kindsOf } from '../../server/media/documents/kinds.ts';
import { type CleanUp, createCleanUp } from '../../server/media/remove/clean-up.ts';
import { createRemoveBytes } from '../../server/media/remove/remove.ts';
import { createGridfsStorage } from '../../server/media/storage/gridfs.ts';
import { type MediaStorage, NotStored, newKey } from '../../server/media/storage/storage.ts';
import { createOwnership } from '../../server/media/upload/ownership.ts';
import { connect, type Database } from '../../server/model/connect.ts';
import type { FileDocument, MediaDocument } from '../../server/model/documents/media.ts';

/** Small, so that several are soon full. */
const BATCH = 5;
const HOUR_MS = 3_600_000;
const now = new Date('2026-06-01T12:00:00Z');
const ago = (hours: number) => new Date(now.getTime() - hours * HOUR_MS);
const annId = new ObjectId();

let directory: string;
let database: Database;
let storage: MediaStorage;
let cleanUp: CleanUp;
let close: () => Promise<void>;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'letsapp-removal-'));
  const embedded = await startEmbedded({ dataDir: directory });
  database = await connect(embedded.url, pino({ level: 'silent' }));
  storage = createGridfsStorage(database.db);
  const { collections } = database;
  const removeBytes = createRemoveBytes(storage, pino({ level: 'silent' }));
  cleanUp = createCleanUp({ collections, kinds: kindsOf(collections), storage, removeBytes, batch: BATCH });
  close = async () => {
    await database.close();
    await embedded.close();
    await rm(directory, { recursive: true });
  };
});
afterAll(() => close());

async function storeUnder(key: string): Promise<void> {
  const file = path.join(directory, newKey());
  await writeFile(file, 'bytes');
  await storage.store(key, file);
}

const isStored = (key: string) =>
  storage.read(key, { start: 0, end: 5 }).then(
    () => true,
    (error: unknown) => !(error instanceof NotStored),
  );

const keyOf = ({ filename }: { filename: string }) => filename.split('.')[0]!;

async function newFile(over: Partial<FileDocument> = {}): Promise<FileDocument> {
  const document: FileDocument = {
    _id: new ObjectId(),
    filename: `${newKey()}.bin`,
    original_filename: 'a',
    file_size: 5,
    mime_type: 'text/plain',
    uploader_id: annId,
    created_at: ago(30),
    is_deleted: false,
    stored: true,
    unsent: true,
    used_at: ago(30),
    download_count: 0,
    ...over,
  };
  await storeUnder(keyOf(document));
  await database.collections.files.insertOne(document);
  return document;
}

async function newImage(over: Partial<MediaDocument> = {}): Promise<MediaDocument> {
  const { download_count, ...file } = await newFile();
  await database.collections.files.deleteOne({ _id: file._id });
  const document: MediaDocument = {
    ...file,
    media_type: 'image',
    mime_type: 'image/png',
    thumbnail: `${newKey()}.webp`,
    view_count: 0,
    ...over,
  };
  await storeUnder(keyOf({ filename: document.thumbnail! }));
  await database.collections.media.insertOne(document);
  return document;
}

/** Like two nodes that take the job at once. */
const cleanUpOnTwoNodes = () => Promise.all([cleanUp(now), cleanUp(now)]);

async function fileState({ _id, filename }: FileDocument) {
  const found = await database.collections.files.findOne({ _id });
  return { isDeleted: found?.is_deleted, isStored: await isStored(keyOf({ filename })) };
}
const KEPT = { isDeleted: false, isStored: true };
const GONE = { isDeleted: true, isStored: false };

describe('an upload that was never sent', () => {
  it('is removed after a day, with its thumbnail, and not before', async () => {
    const [old, recent, image] = [await newFile(), await newFile({ used_at: ago(23) }), await newImage()];
    await cleanUpOnTwoNodes();
    expect([await fileState(old), await fileState(recent)]).toEqual([GONE, KEPT]);
    expect([await isStored(keyOf(image)), await isStored(image.thumbnail!.split('.')[0]!)]).toEqual([false, false]);
    const left = await database.collections.media.findOne({ _id: image._id });
    expect([left?.is_deleted, left?.stored, left?.unsent]).toEqual([true, undefined, undefined]);
  });

  it('stays while it is a profile picture or a group icon', async () => {
    const [picture, icon] = [await newImage(), await newImage()];
    await database.db.collection('users').insertOne({
      username: 'ann',
      username_key: 'ann',
      email: 'a@b.c',
      email_key: 'a@b.c',
      password: 'x',
      created_at: now,
      updated_at: now,
      last_seen: now,
      is_active: true,
      profile_picture: picture._id.toHexString(),
    });
    await database.collections.groups.insertOne({
      _id: new ObjectId(),
      name: 'g',
      description: null,
      icon: icon._id.toHexString(),
      creator_id: annId,
      members: [annId],
      admins: [annId],
      created_at: now,
      updated_at: now,
      is_active: true,
    });
    await cleanUpOnTwoNodes();
    expect([await isStored(keyOf(picture)), await isStored(keyOf(icon))]).toEqual([true, true]);
  });

  it('stays when a message carries it, even if a crash kept that from being noted', async () => {
    const sent = await newFile();
    await database.db.collection('messages').insertOne({
      conversation_id: 'a-b',
      seq: 1,
      rev: 1,
      sender_id: annId,
      recipient_id: new ObjectId(),
      content: '',
      attachment: { media_id: sent._id },
      created_at: now,
      updated_at: now,
      status: 'sent',
      is_deleted: false,
    });
    await cleanUpOnTwoNodes();
    expect(await fileState(sent)).toEqual(KEPT);
    expect((await database.collections.files.findOne({ _id: sent._id }))?.unsent).toBe(undefined);
  });

  it('stays when it has just been claimed', async () => {
    const file = await newFile();
    const ownership = createOwnership(database.collections, () => now);
    await ownership.check(annId.toHexString(), 'document', file._id);
    await cleanUpOnTwoNodes();
    expect(await fileState(file)).toEqual(KEPT);
  });

  it('is removed even when there are more than one batch holds', async () => {
    const files = await Promise.all(Array.from({ length: 3 * BATCH + 2 }, () => newFile()));
    await cleanUpOnTwoNodes();
    const states = await Promise.all(files.map(fileState));
    expect(states.filter(({ isDeleted, isStored }) => !isDeleted || isStored)).toEqual([]);
  });
});

describe('the clean-up removes what a crash left', () => {
  it('of a deletion: bytes whose document is deleted', async () => {
    const file = await newFile({ is_deleted: true });
    await cleanUpOnTwoNodes();
    expect(await fileState(file)).toEqual(GONE);
  });

  it('of an upload: bytes that got no document', async () => {
    const key = newKey();
    await storeUnder(key);
    const due = { _id: new ObjectId(), uploader_id: annId, keys: [key, newKey()], expires_at: ago(0) };
    const later = { _id: new ObjectId(), uploader_id: annId, keys: [], expires_at: ago(-1) };
    await database.collections.pending_uploads.insertMany([due, later]);
    await cleanUpOnTwoNodes();
    expect(await isStored(key)).toBe(false);
    expect((await database.collections.pending_uploads.find().toArray()).map(({ _id }) => _id)).toEqual([later._id]);
  });

  it('of a finished upload: bytes that its document does not name', async () => {
    const file = await newFile({ used_at: now });
    const part = newKey();
    await storeUnder(part);
    const note = { _id: file._id, uploader_id: annId, keys: [keyOf(file), part], expires_at: ago(1) };
    await database.collections.pending_uploads.insertOne(note);
    await cleanUpOnTwoNodes();
    expect([await fileState(file), await isStored(part)]).toEqual([KEPT, false]);
  });
});
