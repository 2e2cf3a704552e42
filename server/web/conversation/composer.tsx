/** Writing: text, files, recordings, answers. */
import type { ChatMessage, Target } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, IconButton } from '../parts/icon.tsx';
import { nameOf, usePerson } from '../people/names.ts';
import { draftFor, keepDraft } from './drafts.ts';
import { type Sending, useUploads } from './uploads.ts';
import { VoiceRecorder } from './voice-recorder.tsx';

/** In pixels; then it scrolls. */
const MAX_HEIGHT = 180;

interface ComposerProps {
  target: Target;
  answered: ChatMessage | undefined;
  onAnswered(): void;
}

export function Composer({ target, answered, onAnswered }: ComposerProps) {
  const [isRecording, setRecording] = useState(false);
  const uploads = useUploads(target);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files can be dropped here, or chosen by the button
    <footer
      class="composer"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        uploads.add([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      {answered && <Answering message={answered} onCancel={onAnswered} />}
      {uploads.sending.map((one) => (
        <Progress key={one.id} sending={one} onCancel={() => uploads.cancel(one)} />
      ))}
      {isRecording ? (
        <VoiceRecorder
          onDone={(recording) => {
            setRecording(false);
            if (recording) uploads.add([recording]);
          }}
        />
      ) : (
        <Row
          target={target}
          answered={answered}
          onAnswered={onAnswered}
          onFiles={uploads.add}
          onRecord={() => setRecording(true)}
        />
      )}
    </footer>
  );
}

interface RowProps extends ComposerProps {
  onFiles(files: File[]): void;
  onRecord(): void;
}

/** The field and the buttons beside it. */
function Row({ target, answered, onAnswered, onFiles, onRecord }: RowProps) {
  const client = useClient();
  const [text, setText] = useState(() => draftFor(target));
  const field = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);

  useEffect(() => keepDraft(target, text), [text]);
  useEffect(() => {
    if (answered || matchMedia('(hover: hover)').matches) field.current?.focus();
  }, [answered]);
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, MAX_HEIGHT)}px`;
  }, [text]);

  function send(): void {
    const content = text.trim();
    if (content === '') return;
    client.send(target, { content, ...(answered ? { reply_to: answered._id } : {}) });
    setText('');
    client.setTyping(target, false);
    onAnswered();
    field.current?.focus();
  }

  return (
    <form
      class="composer__row"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <IconButton icon="attach" label="Attach" onClick={() => files.current?.click()} />
      <input
        ref={files}
        type="file"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = '';
        }}
      />
      <textarea
        ref={field}
        class="composer__field"
        aria-label="Message"
        placeholder="Message"
        rows={1}
        dir="auto"
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          client.setTyping(target, currentTarget.value !== '');
        }}
        onPaste={({ clipboardData }) => {
          if (clipboardData?.files.length) onFiles([...clipboardData.files]);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onAnswered();
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      {text.trim() === '' && canRecord() && <IconButton icon="mic" label="Record a voice message" onClick={onRecord} />}
      <button
        class="icon-button icon-button--main"
        type="submit"
        aria-label="Send"
        title="Send"
        disabled={text.trim() === ''}
      >
        <Icon name="send" />
      </button>
    </form>
  );
}

const canRecord = () => 'MediaRecorder' in window && navigator.mediaDevices !== undefined;

function Answering({ message, onCancel }: { message: ChatMessage; onCancel(): void }) {
  const sender = usePerson(message.sender_id);
  return (
    <div class="composer__answering">
      <Icon name="reply" size={18} />
      <span class="composer__answered">
        <strong>{sender && nameOf(sender)}</strong> {message.content || 'Attachment'}
      </span>
      <IconButton icon="close" label="Cancel" onClick={onCancel} />
    </div>
  );
}

function Progress({ sending, onCancel }: { sending: Sending; onCancel(): void }) {
  const { name, share, failure } = sending;
  return (
    <div class="composer__upload">
      <Icon name="file" size={18} />
      <span class="composer__answered">{name}</span>
      {failure ? (
        <span role="alert" class="refusal">
          {failure}
        </span>
      ) : (
        <progress aria-label={`Uploading ${name}`} max={1} value={share} />
      )}
      <IconButton icon="close" label="Cancel" onClick={onCancel} />
    </div>
  );
}
