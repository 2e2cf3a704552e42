/** What a message carries: a picture, a recording, a film, or a file. */
import type { ChatMessage } from 'letsapp-client';
import { useState } from 'preact/hooks';
import { linkOf, useBytes, useInfo, useLink } from '../media.ts';
import { Icon } from '../parts/icon.tsx';
import { Modal, ModalHead } from '../parts/modal.tsx';
import { attempt } from '../parts/notices.tsx';
import { sizeOf } from '../when.ts';

export function Attachment({ mediaId, type }: { mediaId: string; type: ChatMessage['message_type'] }) {
  switch (type) {
    case 'image':
      return <Picture id={mediaId} />;
    case 'audio':
      return <Recording id={mediaId} />;
    case 'video':
      return <Film id={mediaId} />;
    default:
      return <File id={mediaId} />;
  }
}

function Picture({ id }: { id: string }) {
  const info = useInfo('media', id);
  const thumbnail = useBytes(info && `/media/${id}${info.thumbnail ? '/thumbnail' : ''}`);
  const [isOpen, setOpen] = useState(false);
  const { width = 4, height = 3 } = info ?? {};
  return (
    <div class="picture" style={{ aspectRatio: `${width} / ${height}` }}>
      {thumbnail && <img src={thumbnail} alt={info?.original_filename ?? ''} />}
      <button
        type="button"
        class="picture__open"
        aria-label={`Open ${info?.original_filename ?? 'picture'}`}
        onClick={() => setOpen(true)}
      />
      {isOpen && <Large id={id} name={info?.original_filename ?? 'Picture'} onClose={() => setOpen(false)} />}
    </div>
  );
}

function Large({ id, name, onClose }: { id: string; name: string; onClose(): void }) {
  const url = useBytes(`/media/${id}`);
  return (
    <Modal label={name} onClose={onClose}>
      <ModalHead title={name} onClose={onClose} />
      {url ? <img class="picture__large" src={url} alt="" /> : <p>Loading…</p>}
    </Modal>
  );
}

function Recording({ id }: { id: string }) {
  const info = useInfo('media', id);
  const url = useLink('media', id);
  return (
    // biome-ignore lint/a11y/useMediaCaption: there are no captions of what somebody has just said
    <audio
      class="recording"
      controls
      preload="metadata"
      src={url}
      aria-label={info?.original_filename ?? 'Voice message'}
    />
  );
}

function Film({ id }: { id: string }) {
  const info = useInfo('media', id);
  const url = useLink('media', id);
  const { width = 16, height = 9 } = info ?? {};
  return (
    // biome-ignore lint/a11y/useMediaCaption: there are no captions of what somebody has just filmed
    <video
      class="film"
      controls
      preload="metadata"
      src={url}
      style={{ aspectRatio: `${width} / ${height}` }}
      aria-label={info?.original_filename ?? 'Video'}
    />
  );
}

function File({ id }: { id: string }) {
  const info = useInfo('files', id);
  async function save(event: MouseEvent): Promise<void> {
    event.preventDefault();
    const url = await attempt(() => linkOf('files', id));
    if (url) location.assign(url);
  }
  return (
    <a class="file" href={`/files/${id}`} onClick={save}>
      <Icon name="file" />
      <span class="file__name">{info?.original_filename ?? 'File'}</span>{' '}
      {info && <span class="file__size">{sizeOf(info.file_size)}</span>}
    </a>
  );
}
