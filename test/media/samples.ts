/** Real files of each kind: images by sharp, video and audio by ffmpeg. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';

const run = promisify(execFile);

/** How ffmpeg makes each sample, which is two seconds long and, if a video, of 160 × 120 pixels. */
const PICTURES = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10:duration=2'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=2'];
const H264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
const FRAGMENTED = ['-movflags', 'frag_keyframe+empty_moov+default_base_moof'];
const RECIPES: Record<string, string[]> = {
  'film.mp4': [...PICTURES, ...SOUND, ...H264],
  'streaming.mp4': [...PICTURES, ...SOUND, ...H264, '-movflags', '+faststart'],
  'silent.mp4': [...PICTURES, ...H264],
  'film.mov': [...PICTURES, ...SOUND, ...H264],
  'film.webm': [...PICTURES, ...SOUND, '-c:v', 'libvpx', '-c:a', 'libvorbis'],
  'film.mkv': [...PICTURES, ...SOUND, ...H264],
  'film.3gp': [...PICTURES, ...SOUND, ...H264],
  'film.3g2': [...PICTURES, ...SOUND, ...H264],
  'film.avi': [...PICTURES, '-c:v', 'mpeg4'],
  'screen.webm': [...PICTURES, '-c:v', 'libvpx'],
  'voice.webm': [...SOUND, '-c:a', 'libopus'],
  'voice.mka': [...SOUND, '-c:a', 'libopus'],
  // Never finished: without sizes, durations and indexes that are known in the end.
  'live film.webm': [...PICTURES, ...SOUND, '-c:v', 'libvpx', '-c:a', 'libopus', '-live', '1'],
  'live film.mkv': [...PICTURES, ...SOUND, ...H264, '-live', '1'],
  'live screen.webm': [...PICTURES, '-c:v', 'libvpx', '-live', '1'],
  'live voice.webm': [...SOUND, '-c:a', 'libopus', '-live', '1'],
  'fragmented film.mp4': [...PICTURES, ...SOUND, ...H264, '-bf', '0', ...FRAGMENTED],
  'fragmented voice.mp4': [...SOUND, '-c:a', 'aac', ...FRAGMENTED, '-frag_duration', '250000'],
  // The header lists the samples of the first fragment itself.
  'half fragmented film.mp4': [...PICTURES, ...SOUND, ...H264, '-bf', '0', '-g', '5', '-movflags', 'frag_keyframe'],
  'voice.mp3': SOUND,
  'voice.ogg': SOUND,
  'voice.opus': [...SOUND, '-c:a', 'libopus', '-ar', '16000', '-ac', '1'],
  'film.ogv': [...SOUND, ...PICTURES, '-map', '0', '-map', '1', '-c:v', 'libtheora', '-c:a', 'libvorbis'],
  'voice.aac': SOUND,
  'voice.3gp': [...SOUND, '-ar', '8000', '-ac', '1', '-c:a', 'aac'],
  'voice.3g2': [...SOUND, '-ar', '8000', '-ac', '1', '-c:a', 'aac'],
  'voice.caf': SOUND,
  'voice.wav': SOUND,
  'voice.flac': SOUND,
  'voice.m4a': SOUND,
};

const made = new Map<string, Promise<Buffer>>();

/** A sample by the name of its recipe, made once per test file. Don't change its bytes. */
export function sample(name: keyof typeof RECIPES): Promise<Buffer> {
  const found = made.get(name) ?? make(name);
  made.set(name, found);
  return found;
}

async function make(name: string): Promise<Buffer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-sample-'));
  try {
    const file = path.join(directory, name);
    await run('ffmpeg', ['-v', 'error', ...RECIPES[name]!, file]);
    return await readFile(file);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** An MP4 video whose header asks for a rotation by 90 degrees, as phones write it. */
export async function rotatedFilm(): Promise<Buffer> {
  const film = Buffer.from(await sample('silent.mp4'));
  const matrixAt = film.indexOf('tkhd') + 4 + 40;
  const [across, down] = [0x0001_0000, -0x0001_0000];
  for (const [i, value] of [0, across, 0, down, 0].entries()) film.writeInt32BE(value!, matrixAt + i * 4);
  return film;
}

/** A picture of one color; encode it with `.png()`, `.jpeg()` … */
export function picture(width = 40, height = 20, color = '#3366cc') {
  return sharp({ create: { width, height, channels: 3, background: color } });
}

/** A picture that does not compress well, so that cutting its file cuts its pixels. */
export function noise(side: number) {
  const gaussian = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  return sharp({ create: { width: side, height: side, channels: 3, background: '#888888', noise: gaussian } });
}

/** A GIF or WebP whose frames are red, green, blue, red … */
export async function animation(format: 'gif' | 'webp', frames = 3, width = 32, height = 24): Promise<Buffer> {
  const colors = [Buffer.from('ff0000', 'hex'), Buffer.from('00ff00', 'hex'), Buffer.from('0000ff', 'hex')];
  const pixels = Array.from({ length: frames }, (_, i) => Buffer.alloc(width * height * 3, colors[i % 3]));
  return sharp(Buffer.concat(pixels), { raw: { width, height: height * frames, channels: 3, pageHeight: height } })
    .toFormat(format, { delay: Array(frames).fill(100), loop: 0 })
    .toBuffer();
}

/** A small PNG whose header claims another size: a bomb for whoever believes it. */
export async function pngOfClaimedSize(width: number, height: number): Promise<Buffer> {
  const png = await picture(8, 8).png().toBuffer();
  // The chunk IHDR: type at 12, width at 16, height at 20, checksum of type and content at 29.
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

/** A small GIF animation whose header claims another size, up to 2048 a side; its frames cover a corner of that. */
export async function gifOfClaimedSize(frames: number, width: number, height: number): Promise<Buffer> {
  const gif = await animation('gif', frames, 8, 8);
  gif.writeUInt16LE(width, 6);
  gif.writeUInt16LE(height, 8);
  return gif;
}
