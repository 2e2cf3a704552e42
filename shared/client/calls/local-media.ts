/** What this device sends: microphone, camera, screen. */
import type { Live, LiveHub } from '../live/live.ts';

/** Where media come from; a browser's `navigator.mediaDevices` is one. */
export interface MediaSource {
  getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream>;
  getDisplayMedia?(options?: DisplayMediaStreamOptions): Promise<MediaStream>;
}

export interface LocalMedia {
  stream: Live<MediaStream | undefined>;
  /** Opens microphone, and camera. @throws what the browser throws where the user refuses */
  open(isVideo: boolean): Promise<MediaStream>;
  mute(isMuted: boolean): void;
  camera(isOn: boolean): Promise<void>;
  shareScreen(isShared: boolean): Promise<void>;
  close(): void;
}

/** @param onVideo the track of video is another now, or there is none */
export function createLocalMedia(
  hub: LiveHub,
  source: () => MediaSource,
  onVideo: (track: MediaStreamTrack | null, stream: MediaStream) => void,
): LocalMedia {
  let stream: MediaStream | undefined;
  let screen: MediaStreamTrack | undefined;
  let isMuted = false;
  /** The camera's track, also while the screen is shown. */
  let camera: MediaStreamTrack | undefined;

  function show(track: MediaStreamTrack | undefined): void {
    if (!stream) return;
    for (const shown of stream.getVideoTracks()) if (shown !== track) stream.removeTrack(shown);
    if (track && !stream.getTracks().includes(track)) stream.addTrack(track);
    onVideo(track ?? null, stream);
    hub.changed();
  }

  async function stopScreen(): Promise<void> {
    if (!screen) return;
    screen.onended = null;
    screen.stop();
    screen = undefined;
    show(camera);
  }

  return {
    stream: hub.live({ inputs: () => [stream], make: () => stream }),
    async open(isVideo) {
      stream ??= await source().getUserMedia({ audio: true, video: isVideo });
      [camera] = stream.getVideoTracks();
      for (const track of stream.getAudioTracks()) track.enabled = !isMuted;
      hub.changed();
      return stream;
    },
    mute(muted) {
      isMuted = muted;
      for (const track of stream?.getAudioTracks() ?? []) track.enabled = !muted;
    },
    async camera(isOn) {
      if (!camera && isOn) {
        [camera] = (await source().getUserMedia({ video: true })).getVideoTracks();
        if (!screen) show(camera);
      }
      if (camera) camera.enabled = isOn;
    },
    async shareScreen(isShared) {
      if (!isShared) return stopScreen();
      const { getDisplayMedia } = source();
      if (!getDisplayMedia) throw new TypeError('there is no screen to share here');
      [screen] = (await source().getDisplayMedia!({ video: true })).getVideoTracks();
      // The browser has a button of its own that ends it.
      screen!.onended = () => void stopScreen();
      show(screen);
    },
    close() {
      for (const track of [...(stream?.getTracks() ?? []), camera, screen]) track?.stop();
      stream = undefined;
      camera = undefined;
      screen = undefined;
      isMuted = false;
      hub.changed();
    },
  };
}
