/** What a real browser records is taken with its right kind and length. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { type Account, register } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { read } from './client.ts';

const RECORDER = path.join(import.meta.dirname, 'recorder.js');
const run = promisify(execFile);

const SIZE = { width: 320, height: 240 };
const VOICE = { audio: true };
const SCREEN = { video: SIZE };
const FILM = { audio: true, video: SIZE };
/** How to record, and what it is. */
const KINDS = [
  { mimeType: 'audio/webm', tracks: VOICE, as: 'audio/webm' },
  { mimeType: 'audio/mp4', tracks: VOICE, as: 'audio/mp4' },
  { mimeType: 'video/webm;codecs=vp8', tracks: SCREEN, as: 'video/webm' },
  { mimeType: 'video/webm;codecs=vp9,opus', tracks: FILM, as: 'video/webm' },
  { mimeType: 'video/x-matroska;codecs=avc1,opus', tracks: FILM, as: 'video/matroska' },
  { mimeType: 'video/mp4', tracks: FILM, as: 'video/mp4' },
];
/** In one piece, or one each so many milliseconds. */
const TIMESLICES = [undefined, 200];

interface Answer {
  status: number;
  json: { media: { _id: string; duration?: number } };
}

let server: TestServer;
let browser: Browser;
let directory: string;
let ann: Account;
/** By MIME type and timeslice. Two at a time: a slow machine encodes no more as they come, and records nothing. */
const answers = new Map<string, Answer>();

beforeAll(async () => {
  [server, browser, directory] = await Promise.all([
    sharedServer(),
    startChromium(),
    mkdtemp(path.join(tmpdir(), 'letsapp-recordings-')),
  ]);
  ann = await register(server.url);
  const page = await (await browser.newContext({ bypassCSP: true })).newPage();
  await page.goto(`${server.url}/healthz`);
  await page.addScriptTag({ path: RECORDER });
  for (const { mimeType, tracks } of KINDS) {
    const recordings = TIMESLICES.map(async (timeslice) => {
      const options = JSON.stringify({ token: ann.access_token, mimeType, tracks, timeslice });
      answers.set(`${mimeType} ${timeslice}`, await page.evaluate<Answer>(`recordAndUpload(${options})`));
    });
    await Promise.all(recordings);
  }
});
afterAll(async () => {
  await browser?.close();
  await rm(directory, { recursive: true, force: true });
});

interface Probed {
  packets: { pts_time: string; duration_time?: string }[];
  format: { duration?: string };
}

/** When the last frame begins and, as far as it can be told, ends: in seconds after the first, by another program. */
async function lastFrame(bytes: Buffer): Promise<{ start: number; end: number }> {
  const file = path.join(directory, 'recording');
  await writeFile(file, bytes);
  const show = ['-v', 'error', '-show_entries', 'packet=pts_time,duration_time:format=duration', '-of', 'json'];
  const { stdout } = await run('ffprobe', [...show, file], { maxBuffer: 2 ** 26 });
  const { packets, format } = JSON.parse(stdout) as Probed;
  const starts = packets.map(({ pts_time }) => Number(pts_time));
  const ends = packets.map(({ pts_time, duration_time = 0 }) => Number(pts_time) + Number(duration_time));
  const first = Math.min(...starts);
  return { start: Math.max(...starts) - first, end: Math.max(...ends, Number(format.duration ?? 0)) - first };
}

it.each(KINDS.flatMap((kind) => TIMESLICES.map((timeslice) => ({ ...kind, timeslice }))))(
  '$mimeType with timeslice $timeslice',
  async ({ mimeType, as, tracks, timeslice }) => {
    const { status, json } = answers.get(`${mimeType} ${timeslice}`)!;
    const isFilm = 'video' in tracks;
    const expected = { mime_type: as, media_type: isFilm ? 'video' : 'audio', ...(isFilm ? SIZE : {}) };
    expect([status, json]).toMatchObject([201, { media: expected }]);

    const { bytes } = await read(server.url, `/media/${json.media._id}`, ann);
    const last = await lastFrame(bytes);
    expect(last.end).toBeGreaterThan(0);
    expect(json.media.duration).toBeGreaterThan(last.start - 0.01);
    expect(json.media.duration).toBeLessThan(last.end + 0.01);
    // With a timeslice the segment's size is unknown: the browser cannot go back to it.
    const isUnknown = bytes.includes(Buffer.from('1853806701ffffffffffffff', 'hex'));
    expect(isUnknown).toBe(!as.endsWith('/mp4') && timeslice !== undefined);
  },
);
