/** Files on their way: each is uploaded and then sent as a message. */
import { ClientError, type Target } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Sending {
  id: number;
  name: string;
  /** How much of it has arrived, from 0 to 1. */
  share: number;
  failure?: string;
  abort(): void;
}

let last = 0;

/** @param thread the id of the message in whose thread they are sent */
export function useUploads(target: Target, thread: string | undefined) {
  const client = useClient();
  const [sending, setSending] = useState<Sending[]>([]);
  const isMounted = useRef(true);
  useEffect(
    () => () => {
      isMounted.current = false;
    },
    [],
  );
  const change = (id: number, to: (one: Sending) => Sending | undefined) =>
    isMounted.current && setSending((all) => all.flatMap((one) => (one.id === id ? (to(one) ?? []) : one)));

  async function send(file: File): Promise<void> {
    const aborting = new AbortController();
    const id = ++last;
    setSending((all) => [...all, { id, name: file.name, share: 0, abort: () => aborting.abort() }]);
    try {
      const attachment = await client.upload(file, {
        signal: aborting.signal,
        onProgress: ({ loaded, total }) => change(id, (one) => ({ ...one, share: total > 0 ? loaded / total : 0 })),
      });
      client.send(target, { content: '', attachment, ...(thread === undefined ? {} : { thread_id: thread }) });
      change(id, () => undefined);
    } catch (error) {
      if (!aborting.signal.aborted) change(id, (one) => ({ ...one, failure: inWords(error) }));
    }
  }

  return {
    sending,
    add: (files: File[]) => void Promise.all(files.map(send)),
    /** Ends an upload, or takes the notice of a failed one away. */
    cancel(one: Sending): void {
      one.abort();
      change(one.id, () => undefined);
    },
  };
}

function inWords(error: unknown): string {
  if (!(error instanceof ClientError)) return 'Not uploaded';
  if (error.code === 'payload_too_large') return 'Too large';
  if (error.code === 'unsupported_media_type') return 'Of a kind that cannot be sent';
  return 'Not uploaded';
}
