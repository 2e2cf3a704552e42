/**
 * `media-transfer.ts URL TOKEN BYTES ROUNDS`: says that it is ready, waits for standard input, then uploads a file, reads
 * it twice, the second time with its validator, and deletes it. A process of its own, so that moving the bytes does not disturb who measures. Prints one line of JSON.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';

export interface Transfer {
  /** Milliseconds. */
  upload: number;
  download: number;
  /** The status of the second reading. */
  second: number;
}

const [url, token, bytes, rounds] = process.argv.slice(2) as [string, string, string, string];
const size = Number(bytes);
const piece = randomBytes(64 * 1024);

function answered(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.once('error', reject);
  });
}

function send(method: string, route: string, headers: Record<string, string | number> = {}): ClientRequest {
  return request(url + route, { method, headers: { authorization: `Bearer ${token}`, ...headers } });
}

async function lengthOf(response: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const chunk of response) length += (chunk as Buffer).length;
  return length;
}

async function upload(): Promise<string> {
  const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n';
  const tail = '\r\n--b--\r\n';
  const sent = send('POST', '/files', {
    'content-type': 'multipart/form-data; boundary=b',
    'content-length': head.length + size + tail.length,
  });
  const response = answered(sent);
  sent.write(head);
  for (let left = size; left > 0; left -= piece.length) {
    if (!sent.write(piece.subarray(0, left))) await new Promise((resolve) => sent.once('drain', resolve));
  }
  sent.end(tail);
  const parts = (await (await response).toArray()) as Buffer[];
  return JSON.parse(Buffer.concat(parts).toString()).file._id;
}

async function get(route: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const sent = send('GET', route, headers);
  sent.end();
  return answered(sent);
}

console.log('ready');
await once(process.stdin, 'data');
const transfers: Transfer[] = [];
for (let round = 0; round < Number(rounds); round++) {
  const start = performance.now();
  const route = `/files/${await upload()}`;
  const uploaded = performance.now();
  const first = await get(route);
  if ((await lengthOf(first)) !== size) throw new Error('not all of it came back');
  const downloaded = performance.now();
  const second = await get(route, { 'if-none-match': first.headers.etag! });
  await lengthOf(second);
  transfers.push({ upload: uploaded - start, download: downloaded - uploaded, second: second.statusCode! });
  const removal = send('DELETE', route);
  removal.end();
  await lengthOf(await answered(removal));
}
console.log(JSON.stringify(transfers));
