/**
 * Requests over HTTP/2 (RFC 9113) to one server, on sessions that stay open. A session that the server takes leave of
 * (GOAWAY) gets no new request; requests that the server no longer looked at are sent again on another one.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';

/** The time for a request, in milliseconds. */
const DEADLINE_MS = 10_000;
/** How long a session without a request stays open, in milliseconds. */
const IDLE_MS = 600_000;
/** Requests on one session at once, if the server allows that; beyond that another session is opened … */
const MOST_STREAMS = 500;
/** … up to so many. */
const MOST_SESSIONS = 4;
/** How often a request that the server did not look at is sent again. */
const MOST_REPEATS = 3;
/** What is read of an answer, in bytes. */
const MOST_BYTES = 4096;

export interface Http2Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Http2Pool {
  /** Sends a POST. @throws Error where there is no answer in time; its message says why */
  post(headers: OutgoingHttpHeaders, body: string): Promise<Http2Answer>;
  close(): void;
}

interface Session {
  http2: ClientHttp2Session;
  streams: number;
  /** The server has taken leave. */
  hasGone: boolean;
}

/** The server did not look at the request. */
class NotProcessed extends Error {}

/** @param url where the server is; `http:` is HTTP/2 without TLS */
export function createHttp2Pool(url: string, deadlineMs = DEADLINE_MS): Http2Pool {
  const sessions = new Set<Session>();

  function open(): Session {
    const http2 = connect(url);
    const session: Session = { http2, streams: 0, hasGone: false };
    const retire = () => void sessions.delete(session);
    // An error ends the requests on the session, each of which says so.
    http2.on('error', retire);
    http2.on('goaway', () => {
      session.hasGone = true;
      retire();
    });
    http2.on('close', retire);
    http2.setTimeout(IDLE_MS, () => http2.close());
    http2.unref();
    sessions.add(session);
    return session;
  }

  function take(): Session {
    const usable = [...sessions].filter(({ http2 }) => !http2.closed && !http2.destroyed);
    const least = usable.sort((one, other) => one.streams - other.streams)[0];
    if (!least) return open();
    const allowed = Math.min(least.http2.remoteSettings?.maxConcurrentStreams ?? MOST_STREAMS, MOST_STREAMS);
    return least.streams < allowed || usable.length >= MOST_SESSIONS ? least : open();
  }

  function send(headers: OutgoingHttpHeaders, body: string, dueAt: number): Promise<Http2Answer> {
    const session = take();
    session.streams++;
    return exchange(session, headers, body, dueAt - performance.now())
      .catch((error: unknown) => {
        // What hangs once may be a connection that is dead: the next request takes another one.
        if (error instanceof TimeoutError) {
          sessions.delete(session);
          session.http2.close();
          setTimeout(() => session.http2.destroy(), deadlineMs).unref();
        }
        throw error;
      })
      .finally(() => {
        session.streams--;
      });
  }

  return {
    async post(headers, body) {
      const dueAt = performance.now() + deadlineMs;
      for (let repeats = 0; ; repeats++) {
        try {
          return await send(headers, body, dueAt);
        } catch (error) {
          if (!(error instanceof NotProcessed) || repeats === MOST_REPEATS) throw error;
        }
      }
    },
    close() {
      for (const { http2 } of sessions) http2.destroy();
    },
  };
}

class TimeoutError extends Error {}

function exchange(session: Session, headers: OutgoingHttpHeaders, body: string, ms: number): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const stream: ClientHttp2Stream = session.http2.request({ ...headers, ':method': 'POST' });
    let answered: IncomingHttpHeaders | undefined;
    let text = '';
    const timer = setTimeout(() => {
      reject(new TimeoutError('no answer in time'));
      stream.close(constants.NGHTTP2_CANCEL);
    }, ms);
    const fail = (reason: string) => {
      const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      reject(isRefused || session.hasGone ? new NotProcessed(reason) : new Error(reason));
    };
    stream.setEncoding('utf8');
    stream.on('response', (received) => {
      answered = received;
    });
    stream.on('data', (chunk: string) => {
      if (text.length < MOST_BYTES) text += chunk;
    });
    stream.on('error', ({ code, message }: NodeJS.ErrnoException) => fail(`no connection (${code ?? message})`));
    stream.on('close', () => {
      clearTimeout(timer);
      if (answered) resolve({ status: Number(answered[':status']), headers: answered, body: text });
      else fail('the connection closed');
    });
    stream.end(body);
  });
}
