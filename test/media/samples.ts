/** Real files of each kind: images by sharp, sound and film by ffmpeg. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';

const run = promisify(execFile);
/** One installation at a time: apt locks its lists, and several test files may need it at once. */
const INSTALL_LOCK = path.join(tmpdir(), 'letsapp-ffmpeg-install');

let ready: Promise<void> | undefined;

/** Makes sure that ffmpeg is there: on Debian, root installs it; elsewhere the error says what to do. */
function needFfmpeg(): Promise<void> {
  ready ??= isThere().then((there) => (there ? undefined : install()));
  return ready;
}

async function isThere(): Promise<boolean> {
  return run('ffmpeg', ['-version']).then(
    () => true,
    () => false,
  );
}

async function install(): Promise<void> {
  try {
    await mkdir(INSTALL_LOCK);
  } catch {
    // Another test file is at it.
    while (!(await isThere())) await new Promise((resolve) => setTimeout(resolve, 1000));
    return;
  }
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update'], { env });
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'ffmpeg'], { env });
  } catch (cause) {
    throw new Error('these tests make sound and film with ffmpeg: install it (Debian: apt-get install ffmpeg)', {
      cause,
    });
  } finally {
    await rm(INSTALL_LOCK, { recursive: true, force: true });
  }
}

/** How ffmpeg makes each sample, by the file's extension; two seconds long, pictures of 160 × 120. */
const FILM = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10:duration=2'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=2'];
const H264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
const RECIPES: Record<string, string[]> = {
  'film.mp4': [...FILM, ...SOUND, ...H264],
  'streaming.mp4': [...FILM, ...SOUND, ...H264, '-movflags', '+faststart'],
  'silent.mp4': [...FILM, ...H264],
  'film.mov': [...FILM, ...SOUND, ...H264],
  'film.webm': [...FILM, ...SOUND, '-c:v', 'libvpx', '-c:a', 'libvorbis'],
  'film.mkv': [...FILM, ...SOUND, ...H264],
  'film.avi': [...FILM, '-c:v', 'mpeg4'],
  'voice.webm': [...SOUND, '-c:a', 'libopus'],
  'voice.mp3': SOUND,
  'voice.ogg': SOUND,
  'voice.wav': SOUND,
  'voice.flac': SOUND,
  'voice.m4a': SOUND,
};

/** A sample by the name of its recipe. */
export async function sample(name: keyof typeof RECIPES): Promise<Buffer> {
  await needFfmpeg();
  const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-sample-'));
  try {
    const file = path.join(directory, name);
    await run('ffmpeg', ['-v', 'error', ...RECIPES[name]!, file]);
    return await readFile(file);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A plain picture of a size; encode it with `.png()`, `.jpeg()` … */
export function picture(width = 40, height = 20, color = '#3366cc') {
  return sharp({ create: { width, height, channels: 3, background: color } });
}

/** A GIF or WebP of frames of different colours. */
export async function animation(format: 'gif' | 'webp', frames = 3, width = 32, height = 24): Promise<Buffer> {
  const colors = [Buffer.from('ff0000', 'hex'), Buffer.from('00ff00', 'hex'), Buffer.from('0000ff', 'hex')];
  const pixels = Array.from({ length: frames }, (_, i) => Buffer.alloc(width * height * 3, colors[i % 3]));
  return sharp(Buffer.concat(pixels), { raw: { width, height: height * frames, channels: 3, pageHeight: height } })
    .toFormat(format, { delay: Array(frames).fill(100), loop: 0 })
    .toBuffer();
}

/** The header of a PNG that says it is of a size, with a few bytes of nothing in it: a bomb for who believes it. */
export async function pngOfClaimedSize(width: number, height: number): Promise<Buffer> {
  const png = await picture(8, 8).png().toBuffer();
  const header = Buffer.from(png.subarray(12, 29));
  header.writeUInt32BE(width, 4);
  header.writeUInt32BE(height, 8);
  const claimed = Buffer.from(png);
  header.copy(claimed, 12);
  claimed.writeUInt32BE(crc32(header), 29);
  return claimed;
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** An MP4 film whose header says that it is to be shown turned by a quarter, as phones write it. */
export async function turnedFilm(): Promise<Buffer> {
  const film = await sample('silent.mp4');
  const matrixAt = film.indexOf('tkhd') + 4 + 40;
  const [across, down] = [0x0001_0000, -0x0001_0000];
  for (const [i, value] of [0, across, 0, down, 0].entries()) film.writeInt32BE(value!, matrixAt + i * 4);
  return film;
}
