/** Uploads that go on where they broke off, by the tus protocol (tus.io). */
import type { WireError } from '../contract.ts';
import { ClientError } from '../errors.ts';

export interface Uploaded {
  media_id: string;
  message_type: 'image' | 'audio' | 'video' | 'document';
}

export interface UploadOptions {
  /** Told how many bytes have arrived. */
  onProgress?(progress: { loaded: number; total: number }): void;
  signal?: AbortSignal;
}

/** Pauses before an upload that broke off goes on, in milliseconds; the last one for as long as it takes. */
const PAUSES_MS = [0, 500, 1000, 2000, 5000];
/** What one request carries at most. */
const PIECE_BYTES = 4 * 1024 * 1024;
const MEDIA = /^(image|audio|video)\//;
/** The server takes these for files: they are no pictures to it. */
const NO_MEDIA = /^image\/svg/;

/**
 * Uploads a file, over lost connections too.
 * @param getToken gives the bearer of each request
 * @throws ClientError a refusal; an `AbortError` when it is aborted
 */
export async function upload(
  url: string,
  getToken: () => string | Promise<string>,
  file: Blob & { name?: string },
  options: UploadOptions = {},
): Promise<Uploaded> {
  if (MEDIA.test(file.type) && !NO_MEDIA.test(file.type)) {
    try {
      const media_id = await send(url, getToken, file, 'media', options);
      const response = await fetch(`${url}/media/${media_id}/info`, {
        headers: { authorization: `Bearer ${await getToken()}` },
      }).catch(() => undefined);
      const { media } = response?.ok ? ((await response.json()) as { media: { media_type: 'image' } }) : {};
      return { media_id, message_type: media?.media_type ?? (MEDIA.exec(file.type)![1] as 'image') };
    } catch (error) {
      // By its content it is something else than its name says.
      if (!(error instanceof ClientError) || error.code !== 'unsupported_media_type') throw error;
    }
  }
  return { media_id: await send(url, getToken, file, 'file', options), message_type: 'document' };
}

async function send(
  url: string,
  getToken: () => string | Promise<string>,
  file: Blob & { name?: string },
  kind: 'media' | 'file',
  { onProgress, signal }: UploadOptions,
): Promise<string> {
  if (signal?.aborted) throw abortErrorOf(signal);
  const { Upload, DetailedError } = await loadTus();
  return new Promise<string>((resolve, reject) => {
    let attempts = 0;
    const transfer = new Upload(file as File, {
      endpoint: `${url}/uploads`,
      metadata: { filename: file.name || 'file', kind },
      retryDelays: null,
      ...(file instanceof Blob ? { fileReader: piecewise, chunkSize: PIECE_BYTES } : {}),
      storeFingerprintForResuming: false,
      onBeforeRequest: async (request) => request.setHeader('Authorization', `Bearer ${await getToken()}`),
      onProgress(loaded, total) {
        attempts = 0;
        onProgress?.({ loaded, total: total ?? file.size });
      },
      onSuccess: () => end(() => resolve(transfer.url!.slice(transfer.url!.lastIndexOf('/') + 1))),
      onError(error) {
        const refusal = error instanceof DetailedError ? refusalOf(error.originalResponse?.getBody()) : undefined;
        const status = error instanceof DetailedError ? error.originalResponse?.getStatus() : undefined;
        const isPassing = status === undefined || status >= 500 || [409, 423, 429].includes(status);
        if (!isPassing || (refusal && !PASSING.includes(refusal.code))) {
          const code = { code: 'internal', message: error.message } as const;
          return end(() => reject(new ClientError(refusal ?? code)));
        }
        const pause = PAUSES_MS[Math.min(attempts++, PAUSES_MS.length - 1)]!;
        timer = setTimeout(() => transfer.start(), pause);
      },
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAbort = () => {
      // What has arrived is taken back, as far as the server can be reached.
      transfer.abort(true).catch(() => {});
      end(() => reject(abortErrorOf(signal!)));
    };
    function end(act: () => void): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      act();
    }
    signal?.addEventListener('abort', onAbort);
    transfer.start();
  });
}

/** Read when an app uploads for the first time. In Node it is CommonJS, whose exports are not always found by name. */
async function loadTus(): Promise<typeof import('tus-js-client')> {
  const loaded = await import('tus-js-client');
  return loaded.Upload ? loaded : (loaded as unknown as { default: typeof loaded }).default;
}

/** Reads a Blob piece by piece, in the form that the environment's requests take. */
const piecewise = {
  async openFile(blob: Blob) {
    return {
      size: blob.size,
      async slice(start: number, end: number) {
        const piece = blob.slice(start, end);
        const { Buffer, document } = globalThis as { Buffer?: typeof globalThis.Buffer; document?: unknown };
        if (!Buffer || document) return { value: piece, done: end >= blob.size };
        // tus-js-client asks for `size`.
        const value = Object.assign(Buffer.from(await piece.arrayBuffer()), { size: piece.size });
        return { value, done: end >= blob.size };
      },
      close() {},
    };
  },
};

const PASSING = ['unavailable', 'rate_limited', 'conflict'];

/** The error of the contract in an answer's body. */
function refusalOf(body: string | undefined): WireError | undefined {
  try {
    return (JSON.parse(body ?? '') as { error?: WireError }).error;
  } catch {
    return undefined;
  }
}

/** An `AbortError`, whatever reason the signal has. */
function abortErrorOf({ reason }: AbortSignal): Error {
  if (reason instanceof Error && reason.name === 'AbortError') return reason;
  return Object.assign(new Error('the upload was aborted'), { name: 'AbortError' });
}
