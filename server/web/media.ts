/** The bytes of uploads, for the page: they are asked for with the session's token and kept as object URLs. */
import { useEffect, useState } from 'preact/hooks';
import { account } from './account.ts';

/** How many are kept. */
const MOST = 200;
const urls = new Map<string, Promise<string>>();
const infos = new Map<string, Promise<UploadInfo>>();

export interface UploadInfo {
  original_filename: string;
  mime_type: string;
  file_size: number;
  media_type?: 'image' | 'audio' | 'video';
  width?: number;
  height?: number;
  duration?: number;
  thumbnail?: string;
}

async function ask(path: string, method = 'GET'): Promise<Response> {
  const answer = await fetch(path, { method, headers: { authorization: `Bearer ${await account.getToken()}` } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

function remembered<T>(kept: Map<string, Promise<T>>, key: string, load: () => Promise<T>): Promise<T> {
  const known = kept.get(key);
  if (known) return known;
  const loading = load();
  kept.set(key, loading);
  // What failed is tried again the next time somebody looks.
  loading.catch(() => kept.delete(key));
  return loading;
}

/** @returns an object URL of what is there */
function bytesOf(path: string): Promise<string> {
  const loading = remembered(urls, path, async () => URL.createObjectURL(await (await ask(path)).blob()));
  const [oldest] = urls.keys();
  if (urls.size > MOST && oldest !== undefined && oldest !== path) {
    void urls.get(oldest)?.then(URL.revokeObjectURL, () => {});
    urls.delete(oldest);
  }
  return loading;
}

/** What is known of an upload: of media, or of a file. */
function infoOf(kind: 'media' | 'files', id: string): Promise<UploadInfo> {
  return remembered(infos, `/${kind}/${id}`, async () => {
    const { media, file } = (await (await ask(`/${kind}/${id}/info`)).json()) as {
      media: UploadInfo;
      file: UploadInfo;
    };
    return media ?? file;
  });
}

/** An address that works without the token, for some minutes: for players, and for what the browser saves. */
export async function linkOf(kind: 'media' | 'files', id: string): Promise<string> {
  const { url } = (await (await ask(`/${kind}/${id}/link`, 'POST')).json()) as { url: string };
  return url;
}

function useLoaded<T>(load: () => Promise<T> | undefined, key: string | undefined): T | undefined {
  const [loaded, setLoaded] = useState<{ key: string | undefined; value: T }>();
  useEffect(() => {
    let isWanted = true;
    load()?.then(
      (value) => isWanted && setLoaded({ key, value }),
      () => {},
    );
    return () => {
      isWanted = false;
    };
  }, [key]);
  return loaded?.key === key ? loaded?.value : undefined;
}

/** The object URL of an upload's bytes, once they are there; undefined too where they cannot be had. */
export const useBytes = (path: string | undefined): string | undefined =>
  useLoaded(() => (path === undefined ? undefined : bytesOf(path)), path);

export const useInfo = (kind: 'media' | 'files', id: string): UploadInfo | undefined =>
  useLoaded(() => infoOf(kind, id), `${kind}/${id}`);

export const useLink = (kind: 'media' | 'files', id: string): string | undefined =>
  useLoaded(() => linkOf(kind, id), `${kind}/${id}`);
