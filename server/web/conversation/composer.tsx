/** Writing: text, files, recordings, answers. */
import type { ChatMessage, Target } from 'letsapp-client';
import { useClient, useRights } from 'letsapp-client/react';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, IconButton } from '../parts/icon.tsx';
import { nameOf, peopleIn, usePerson } from '../people/names.ts';
import { lengthOf } from '../when.ts';
import { CompletionList, useCompletion } from './completion.tsx';
import { useDraft } from './drafts.ts';
import { mentionsIn } from './mentions.ts';
import { useSecondsUntil } from './slow-mode.ts';
import { type Sending, useUploads } from './uploads.ts';
import { VoiceRecorder } from './voice-recorder.tsx';

/** In pixels; then it scrolls. */
const MAX_HEIGHT = 180;

interface ComposerProps {
  target: Target;
  /** The id of the message in whose thread one writes. */
  thread?: string;
  answered: ChatMessage | undefined;
  onAnswered(): void;
}

export function Composer({ target, thread, answered, onAnswered }: ComposerProps) {
  const [isRecording, setRecording] = useState(false);
  const uploads = useUploads(target, thread);

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
          {...(thread === undefined ? {} : { thread })}
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
function Row({ target, thread, answered, onAnswered, onFiles, onRecord }: RowProps) {
  const client = useClient();
  const field = useRef<HTMLTextAreaElement>(null);
  const isBusy = () => document.hasFocus() && document.activeElement === field.current;
  const [text, setText] = useDraft(target, thread, isBusy);
  const [caret, setCaret] = useState<number>();
  const { mention_everyone, next_send_at } = useRights(target);
  const wait = useSecondsUntil(next_send_at);
  const listId = useId();
  const completion = useCompletion(target, text, caret, (completed, at) => {
    setText(completed);
    setCaret(at);
    requestAnimationFrame(() => field.current?.setSelectionRange(at, at));
  });
  const label = thread === undefined ? 'Message' : 'Reply in thread';

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
    if (content === '' || wait > 0) return;
    const mentions = mentionsIn(content, peopleIn(client, target), mention_everyone);
    client.send(target, {
      content,
      ...(thread === undefined ? {} : { thread_id: thread }),
      ...(answered ? { reply_to: answered._id } : {}),
      ...(mentions ? { mentions } : {}),
    });
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
      <CompletionList id={listId} completion={completion} />
      <Attach onFiles={onFiles} />
      <textarea
        ref={field}
        class="composer__field"
        aria-label={label}
        placeholder={wait > 0 ? `Slow mode: ${lengthOf(wait)}` : label}
        aria-autocomplete="list"
        aria-controls={completion.options.length > 0 ? listId : undefined}
        aria-activedescendant={completion.options.length > 0 ? `${listId}-${completion.chosen}` : undefined}
        rows={1}
        dir="auto"
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setCaret(currentTarget.selectionStart);
          client.setTyping(target, currentTarget.value !== '');
        }}
        onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart)}
        onBlur={() => setCaret(undefined)}
        onPaste={({ clipboardData }) => {
          if (clipboardData?.files.length) onFiles([...clipboardData.files]);
        }}
        onKeyDown={(event) => {
          if (completion.onKey(event)) return;
          if (event.key === 'Escape') onAnswered();
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      {text.trim() === '' && canRecord() && <IconButton icon="mic" label="Record a voice message" onClick={onRecord} />}
      {wait > 0 && text !== '' && (
        <span class="composer__wait" role="timer" aria-label="Slow mode">
          {lengthOf(wait)}
        </span>
      )}
      <button
        class="icon-button icon-button--main"
        type="submit"
        aria-label={thread === undefined ? 'Send' : 'Send reply'}
        title="Send"
        disabled={text.trim() === '' || wait > 0}
      >
        <Icon name="send" />
      </button>
    </form>
  );
}

function Attach({ onFiles }: Pick<RowProps, 'onFiles'>) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton icon="attach" label="Attach" onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = '';
        }}
      />
    </>
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
