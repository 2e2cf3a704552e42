/** `letsapp-client/calls`: voice and video calls over WebRTC, in browsers. */
import type { Client } from '../client.ts';
import type { Call, Target } from '../contract.ts';
import { createLiveHub, type Live } from '../live/live.ts';
import { createLocalMedia, type LocalMedia, type MediaSource } from './local-media.ts';
import { createPeers } from './peers.ts';
import { createSeat } from './seat.ts';

export type { MediaSource } from './local-media.ts';

export interface CallsOptions {
  /** Where microphone, camera and screen come from. Default: the browser's `navigator.mediaDevices`. */
  media?: MediaSource | MediaSource['getUserMedia'];
}

export interface Calls {
  /** The call that this device is in; undefined where it is in none. */
  current: Live<Call | undefined>;
  localStream: Live<MediaStream | undefined>;
  /** What the others send, by their user ids. */
  remoteStreams: Live<Map<string, MediaStream>>;
  /** Calls a user or a group. @throws ClientError `busy`, `conflict`, …; what the browser throws without media */
  start(target: Target, call_type: 'voice' | 'video'): Promise<Call>;
  /** Answers on this device. */
  accept(call_id: string): Promise<Call>;
  reject(call_id: string): Promise<Call>;
  /** Hangs up; in a group it leaves. */
  end(call_id: string): Promise<Call>;
  /** Joins a group's call, or takes a call over from another device. */
  join(call_id: string): Promise<Call>;
  mute(isMuted?: boolean): void;
  camera(isOn?: boolean): Promise<void>;
  /** Shows the screen in place of the camera. */
  shareScreen(isShared?: boolean): Promise<void>;
  /** Leaves without a word, and listens no more. */
  close(): void;
}

export function createCalls(client: Client, { media }: CallsOptions = {}): Calls {
  const hub = createLiveHub();
  const peers = createPeers({
    hub,
    me: () => client.me.get()?._id ?? '',
    stream: () => local.stream.get(),
    send: (call_id, to_user_id, signal) => {
      // Where it does not arrive, the connection was lost or the other one has left: both are told of.
      client.call('call:signal', { call_id, to_user_id, signal: { ...signal } }).catch(() => {});
    },
  });
  const local: LocalMedia = createLocalMedia(hub, () => sourceOf(media), peers.showVideo);
  const seat = createSeat(client, hub, peers, local);
  const isVideo = (call_id: string) => client.calls.get().find(({ _id }) => _id === call_id)?.call_type === 'video';

  return {
    current: seat.current,
    localStream: local.stream,
    remoteStreams: peers.streams,
    start: (target, call_type) =>
      seat.take(call_type === 'video', () => client.call('call:initiate', { ...target, call_type })),
    accept: (call_id) => seat.take(isVideo(call_id), () => client.call('call:accept', { call_id })),
    join: (call_id) => seat.take(isVideo(call_id), () => client.call('call:join', { call_id })),
    reject: async (call_id) => (await client.call('call:reject', { call_id })).call,
    async end(call_id) {
      try {
        return (await client.call('call:end', { call_id })).call;
      } finally {
        // Without a connection too: the server then sees that nobody comes back.
        if (seat.current.get()?._id === call_id) seat.leave();
      }
    },
    mute: (isMuted = true) => local.mute(isMuted),
    camera: (isOn = true) => local.camera(isOn),
    shareScreen: (isShared = true) => local.shareScreen(isShared),
    close: seat.close,
  };
}

function sourceOf(media: CallsOptions['media']): MediaSource {
  if (typeof media === 'function') return { getUserMedia: media };
  return media ?? navigator.mediaDevices;
}
