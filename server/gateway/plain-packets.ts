/**
 * Socket.IO's parser without attachments. The original collects the binary parts that a packet announces, from anybody
 * and for as long as the connection lives, before anyone sees the packet. No command takes binary, so here such a
 * packet is read at once, as one that is refused, and its attachments are dropped as they come.
 */
import { Decoder, Encoder } from 'socket.io-parser';

/** `<type><attachments>-[<namespace>,][<id of the acknowledgement>]<JSON>` (Socket.IO protocol, version 5). */
const WITH_ATTACHMENTS = /^([56])(\d+)-((?:\/[^,]*,)?)(\d*)(\[.*)$/s;
const BINARY_EVENT = '5';
/** More than that closes the connection, as in Socket.IO. */
const MAX_ATTACHMENTS = 10;
/** The payload that such a packet is given: the payload of every command is an object, so it is `validation_failed`. */
const REFUSED = 'binary';

class PlainDecoder extends Decoder {
  /** How many attachments of the last packet are still to come. */
  private expected = 0;

  /** @throws Error for what is no packet: Socket.IO closes the connection then */
  override add(frame: unknown): void {
    if (typeof frame !== 'string') {
      if (this.expected === 0) throw new Error('binary that no packet announced');
      this.expected--;
    } else if (this.expected > 0) {
      throw new Error('a packet before the attachments of the last one');
    } else if (frame.startsWith('5') || frame.startsWith('6')) {
      this.addWithoutAttachments(frame);
    } else {
      super.add(frame);
    }
  }

  private addWithoutAttachments(frame: string): void {
    const [, type, attachments, namespace, id, json] = WITH_ATTACHMENTS.exec(frame) ?? [];
    const count = Number(attachments);
    if (json === undefined || count < 1 || count > MAX_ATTACHMENTS) throw new Error('no packet with attachments');
    this.expected = count;
    if (type === BINARY_EVENT) super.add(`2${namespace}${id}${JSON.stringify([JSON.parse(json)[0], REFUSED])}`);
    // An acknowledgement. The server asks for none, and ignores those that it gets.
    else super.add(`3${namespace}${id}[]`);
  }
}

/** For the option `parser` of a Socket.IO server. */
export const plainPackets = { Encoder, Decoder: PlainDecoder };
