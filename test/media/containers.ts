/** Takes films and recordings apart, to put them together as devices write them. */

/** A box of MP4 or QuickTime. */
export function box(type: string, ...content: Uint8Array[]): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(content.reduce((sum, { length }) => sum + length, header.length));
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, ...content]);
}

/** The boxes of a file, or of what a box contains. */
export function boxesOf(file: Buffer): { type: string; bytes: Buffer }[] {
  const boxes = [];
  for (let at = 0; at + 8 <= file.length; ) {
    const bytes = file.subarray(at, at + file.readUInt32BE(at));
    boxes.push({ type: bytes.toString('latin1', 4, 8), bytes });
    at += bytes.length;
  }
  return boxes;
}

/** Changes one kind of boxes, wherever they lie within boxes of the kinds above them. */
export function changeBox(file: Buffer, [type, ...below]: string[], change: (content: Buffer) => Buffer): Buffer {
  return Buffer.concat(
    boxesOf(file).map(({ type: found, bytes }) => {
      if (found !== type) return bytes;
      const content = bytes.subarray(8);
      return box(found, below.length > 0 ? changeBox(content, below, change) : change(content));
    }),
  );
}

/** The same with bytes behind what a kind of boxes contains. */
export function appendTo(file: Buffer, kinds: string[], ...more: Uint8Array[]): Buffer {
  return changeBox(file, kinds, (content) => Buffer.concat([content, ...more]));
}

const SEGMENT = Buffer.from('18538067', 'hex');
const CLUSTER = Buffer.from('1f43b675', 'hex');

/** A WebM or Matroska file whose segment and clusters do not know their size, as browsers record it. */
export function withUnknownSizes(file: Buffer): Buffer {
  const changed = Buffer.from(file);
  for (const id of [SEGMENT, CLUSTER]) {
    for (let at = changed.indexOf(id); at >= 0; at = changed.indexOf(id, at + 1)) {
      // The leading zeros of a size tell its length; all other bits are ones in an unknown one.
      const length = Math.clz32(changed[at + 4]!) - 23;
      changed.fill(0xff, at + 4, at + 4 + length);
      changed[at + 4] = 0xff >> (length - 1);
    }
  }
  return changed;
}
