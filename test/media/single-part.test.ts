import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { expect, it } from 'vitest';
import { readSinglePart } from '../../server/media/upload/single-part.ts';
import { multipart } from './client.ts';

const CONTENT = 'one\r\n--a-boundar\r\n\r\n--two';
const form = multipart([{ content: CONTENT, filename: 'a' }]);

function read(raw: Readable, type = form.type): Promise<Buffer> {
  const request = { raw, headers: { 'content-type': type } } as unknown as FastifyRequest;
  return readSinglePart(request, ({ content }) => buffer(content));
}

function inPieces(bytes: Buffer, lengths: number[]): Readable {
  const pieces = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (lengths[i] ?? bytes.length);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return Readable.from(pieces);
}

it('a part is the same however it arrives, whatever stands around the form', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 60 });
  const around = fc.constantFrom('', '\r\n', 'for old clients\r\n');
  await fc.assert(
    fc.asyncProperty(lengths, around, around, async (pieces, before, after) => {
      const preamble = before && `${before.trim()}\r\n`;
      const whole = Buffer.concat([Buffer.from(preamble), form.bytes, Buffer.from(after)]);
      expect((await read(inPieces(whole, pieces))).toString()).toBe(CONTENT);
    }),
  );
});

it('a form that ends early is refused, wherever that is', async () => {
  // The last two bytes are a line break, which may be missing.
  for (let end = 0; end <= form.bytes.length - 3; end++) {
    await expect(read(inPieces(form.bytes.subarray(0, end), [])), `${end}`).rejects.toThrow();
  }
});

it('a request that breaks off is refused, wherever that is', async () => {
  for (let end = 0; end <= form.bytes.length - 3; end++) {
    const raw = new PassThrough();
    const reading = read(raw);
    raw.write(form.bytes.subarray(0, end), () => raw.destroy());
    await expect(reading, `${end}`).rejects.toThrow();
  }
});

it('a second part is refused, wherever it arrives', async () => {
  const twice = multipart([
    { content: 'one', filename: 'a' },
    { content: 'two', filename: 'b' },
  ]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 30 }), async (pieces) => {
      await expect(read(inPieces(twice.bytes, pieces))).rejects.toThrow('more than one part');
    }),
  );
});

it.each(['"a-boundary"', 'a-boundary; charset=utf-8', '"a-boundary" ; x=y'])(
  'the boundary may be %s',
  async (written) => {
    const type = `multipart/form-data; Boundary=${written}`;
    expect((await read(inPieces(form.bytes, []), type)).toString()).toBe(CONTENT);
  },
);
