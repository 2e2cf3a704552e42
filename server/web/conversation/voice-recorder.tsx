/** Recording a voice message. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon, IconButton } from '../parts/icon.tsx';
import { notify } from '../parts/notices.tsx';
import { lengthOf } from '../when.ts';

/** What browsers record, the better one first. */
const TYPES = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus'];
const TICK_MS = 250;

/** @param onDone with the recording, or without one where it was dropped */
export function VoiceRecorder({ onDone }: { onDone(recording?: File): void }) {
  const [seconds, setSeconds] = useState(0);
  const recorder = useRef<MediaRecorder>(undefined);
  const isWanted = useRef(false);

  useEffect(() => {
    let isOpen = true;
    let timer: ReturnType<typeof setInterval> | undefined;
    navigator.mediaDevices.getUserMedia({ audio: true }).then(
      (stream) => {
        const end = () => {
          for (const track of stream.getTracks()) track.stop();
        };
        if (!isOpen) return end();
        const type = TYPES.find((one) => MediaRecorder.isTypeSupported(one));
        const made = new MediaRecorder(stream, type ? { mimeType: type } : {});
        const parts: Blob[] = [];
        const startedAt = performance.now();
        timer = setInterval(() => setSeconds((performance.now() - startedAt) / 1000), TICK_MS);
        made.ondataavailable = ({ data }) => parts.push(data);
        made.onstop = () => {
          end();
          if (isWanted.current) onDone(fileOf(parts, made.mimeType));
        };
        made.start();
        recorder.current = made;
      },
      () => {
        notify('The microphone is not available.');
        onDone();
      },
    );
    return () => {
      isOpen = false;
      clearInterval(timer);
      if (recorder.current?.state === 'recording') recorder.current.stop();
    };
  }, []);

  function finish(): void {
    isWanted.current = true;
    if (recorder.current?.state === 'recording') recorder.current.stop();
    else onDone();
  }

  return (
    <div class="composer__row">
      <span class="composer__recording">
        <Icon name="mic" /> Recording {lengthOf(seconds)}
      </span>
      <IconButton icon="remove" label="Drop" onClick={() => onDone()} />
      <IconButton icon="send" label="Send" kind="main" onClick={finish} />
    </div>
  );
}

function fileOf(parts: Blob[], type: string): File {
  const plain = type.split(';')[0]!;
  const ending = plain.split('/')[1] === 'mp4' ? 'm4a' : plain.split('/')[1];
  const at = new Date().toISOString().slice(0, 16).replace(/[:T]/g, '-');
  return new File(parts, `voice-${at}.${ending}`, { type: plain });
}
