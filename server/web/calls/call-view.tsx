/** A call under way: who is in it, what they show, and what can be done. */
import type { Call } from 'letsapp-client';
import type { Calls } from 'letsapp-client/calls';
import { useConversations, useMe } from 'letsapp-client/react';
import { useSyncExternalStore } from 'preact/compat';
import { useEffect, useRef, useState } from 'preact/hooks';
import { titleOf } from '../conversations/summary.ts';
import { Avatar } from '../parts/avatar.tsx';
import { IconButton } from '../parts/icon.tsx';
import { attempt } from '../parts/notices.tsx';
import { nameOf, usePerson } from '../people/names.ts';
import { lengthOf } from '../when.ts';

export function CallView({ call, calls, onHangUp }: { call: Call; calls: Calls; onHangUp(): void }) {
  const me = useMe()?._id;
  const remote = useSyncExternalStore(calls.remoteStreams.subscribe, calls.remoteStreams.get);
  const local = useSyncExternalStore(calls.localStream.subscribe, calls.localStream.get);
  const name = useNameOf(call, me);
  const [isMuted, setMuted] = useState(false);
  const [hasCamera, setCamera] = useState(call.call_type === 'video');
  const [isSharing, setSharing] = useState(false);

  async function toggle(
    isOn: boolean,
    change: (isOn: boolean) => unknown,
    set: (isOn: boolean) => void,
  ): Promise<void> {
    await attempt(async () => {
      await change(!isOn);
      set(!isOn);
    });
  }

  return (
    <section class="call" role="dialog" aria-label={`Call with ${name}`}>
      <header class="call__head">
        <h2>{name}</h2>
        <Progress call={call} />
      </header>
      <div class={`call__people call__people--${Math.min(remote.size, 4)}`}>
        {remote.size === 0 && <Avatar name={name} size={72} />}
        {[...remote].map(([id, stream]) => (
          <Participant key={id} id={id} stream={stream} />
        ))}
      </div>
      {local && (hasCamera || isSharing) && (
        <div class="call__self">
          <Stream stream={local} isMuted label="You" />
        </div>
      )}
      <div class="call__buttons">
        <IconButton
          icon={isMuted ? 'micOff' : 'mic'}
          label="Mute"
          pressed={isMuted}
          onClick={() => toggle(isMuted, calls.mute, setMuted)}
        />
        <IconButton
          icon={hasCamera ? 'video' : 'videoOff'}
          label="Camera"
          pressed={hasCamera}
          onClick={() => toggle(hasCamera, calls.camera, setCamera)}
        />
        {'getDisplayMedia' in (navigator.mediaDevices ?? {}) && (
          <IconButton
            icon="screen"
            label="Share screen"
            pressed={isSharing}
            onClick={() => toggle(isSharing, calls.shareScreen, setSharing)}
          />
        )}
        <IconButton icon="hangUp" label="Hang up" kind="danger" onClick={onHangUp} />
      </div>
    </section>
  );
}

function useNameOf({ caller_id, recipient_id, group_id }: Call, me: string | undefined): string {
  const group = useConversations().find((one) => one.group?._id === group_id);
  const peer = usePerson((caller_id === me ? recipient_id : caller_id) ?? caller_id);
  if (group_id) return group ? titleOf(group) : 'Group';
  return peer ? nameOf(peer) : '…';
}

const WORDS: Record<Call['status'], string> = {
  initiated: 'Calling…',
  ringing: 'Ringing…',
  ongoing: '',
  ended: 'Call ended',
  missed: 'No answer',
  rejected: 'Declined',
};

function Progress({ call }: { call: Call }) {
  const [seconds, setSeconds] = useState(0);
  const isOngoing = call.status === 'ongoing';
  useEffect(() => {
    if (!isOngoing) return undefined;
    const startedAt = performance.now();
    const timer = setInterval(() => setSeconds((performance.now() - startedAt) / 1000), 1000);
    return () => clearInterval(timer);
  }, [isOngoing]);
  return <p role="status">{isOngoing ? lengthOf(seconds) : WORDS[call.status]}</p>;
}

function Participant({ id, stream }: { id: string; stream: MediaStream }) {
  const person = usePerson(id);
  const name = person ? nameOf(person) : '…';
  return (
    <figure class="participant">
      <Stream stream={stream} label={name} />
      {stream.getVideoTracks().length === 0 && <Avatar name={name} picture={person?.profile_picture} size={72} />}
      <figcaption>{name}</figcaption>
    </figure>
  );
}

function Stream({ stream, label, isMuted = false }: { stream: MediaStream; label: string; isMuted?: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    video.current!.srcObject = stream;
  }, [stream]);
  return <video ref={video} autoPlay playsInline muted={isMuted} aria-label={label} />;
}
