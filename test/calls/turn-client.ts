/** A TURN client that can Allocate and no more (RFC 5766 section 6; long-term credentials, RFC 5389 section 10.2). */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';

const MAGIC_COOKIE = 0x2112a442;
const ALLOCATE = 0x0003;
const ALLOCATE_SUCCESS = 0x0103;
const USERNAME = 0x0006;
const MESSAGE_INTEGRITY = 0x0008;
const ERROR_CODE = 0x0009;
const REALM = 0x0014;
const NONCE = 0x0015;
const REQUESTED_TRANSPORT = 0x0019;
const UDP = Buffer.from([17, 0, 0, 0]);
/** How long to ask, in milliseconds: the server may still be starting. */
const PATIENCE_MS = 30_000;
/** UDP may lose a request. */
const REPEAT_MS = 500;

type Attributes = Map<number, Buffer>;

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

function message(body: Buffer, length = body.length): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(ALLOCATE, 0);
  head.writeUInt16BE(length, 2);
  head.writeUInt32BE(MAGIC_COOKIE, 4);
  randomBytes(12).copy(head, 8);
  return Buffer.concat([head, body]);
}

function signed(body: Buffer, key: Buffer): Buffer {
  // The signed length includes the signature's own attribute.
  const unsigned = message(body, body.length + 24);
  const signature = createHmac('sha1', key).update(unsigned).digest();
  return Buffer.concat([unsigned, attribute(MESSAGE_INTEGRITY, signature)]);
}

function parse(packet: Buffer): { type: number; attributes: Attributes } {
  const attributes: Attributes = new Map();
  for (let at = 20; at + 4 <= packet.length; ) {
    const length = packet.readUInt16BE(at + 2);
    attributes.set(packet.readUInt16BE(at), packet.subarray(at + 4, at + 4 + length));
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { type: packet.readUInt16BE(0), attributes };
}

/**
 * Asks for an allocation.
 * @returns `allocated`, or the error code with which the server refuses the credentials
 */
export async function allocate(port: number, username: string, credential: string): Promise<'allocated' | number> {
  const socket = createSocket('udp4');
  const ask = (packet: Buffer) =>
    new Promise<ReturnType<typeof parse>>((resolve, reject) => {
      const again = setInterval(() => socket.send(packet, port, '127.0.0.1'), REPEAT_MS);
      const timer = setTimeout(() => reject(new Error('the TURN server does not answer')), PATIENCE_MS);
      socket.once('message', (answer) => {
        clearInterval(again);
        clearTimeout(timer);
        resolve(parse(answer));
      });
      socket.send(packet, port, '127.0.0.1');
    });
  const errorOf = ({ attributes }: ReturnType<typeof parse>) => {
    const value = attributes.get(ERROR_CODE)!;
    return value[2]! * 100 + value[3]!;
  };
  try {
    const transport = attribute(REQUESTED_TRANSPORT, UDP);
    const challenge = await ask(message(transport));
    const realm = challenge.attributes.get(REALM)!;
    const key = createHash('md5').update(`${username}:${realm}:${credential}`).digest();
    const body = Buffer.concat([
      transport,
      attribute(USERNAME, Buffer.from(username)),
      attribute(REALM, realm),
      attribute(NONCE, challenge.attributes.get(NONCE)!),
    ]);
    const answer = await ask(signed(body, key));
    return answer.type === ALLOCATE_SUCCESS ? 'allocated' : errorOf(answer);
  } finally {
    socket.close();
  }
}
