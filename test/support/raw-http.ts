/** HTTP below any client: bytes as they are, over one connection. */
import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any;
}

/** One request as text. A body gets its length. */
export function requestText(line: string, headers: Record<string, string> = {}, body = ''): string {
  const all = { Host: 'localhost', ...(body ? { 'Content-Length': String(Buffer.byteLength(body)) } : {}), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `${[`${line} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${body}`;
}

/**
 * Sends text piece by piece, each after the one before has left, and reads until the server closes the connection.
 * @returns the answers, those with status 100 too
 */
export async function exchange(base: string, ...pieces: string[]): Promise<RawAnswer[]> {
  const { port, hostname } = new URL(base);
  const socket = connect(Number(port), hostname);
  socket.setNoDelay(true);
  socket.setTimeout(30_000, () => socket.destroy(new Error(`still open after: ${answer}`)));
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    answer += chunk;
  });
  const closed = once(socket, 'close');
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve));
    // A moment, so that the pieces arrive one by one.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await closed;
  return parse(answer);
}

function parse(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const length = Number(headers['content-length'] ?? 0);
    const body = rest.slice(end + 4, end + 4 + length);
    const isJson = headers['content-type']?.startsWith('application/json') && body !== '';
    answers.push({ status: Number(first.split(' ')[1]), headers, body, json: isJson ? JSON.parse(body) : undefined });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}
