/** The connections to all others in a call. */
import type { Call, IceServer } from '../contract.ts';
import type { Live, LiveHub } from '../live/live.ts';
import { createPeer, type Peer, type Signal } from './peer.ts';

export interface PeersOptions {
  hub: LiveHub;
  /** The own user id. */
  me(): string;
  /** What is sent. */
  stream(): MediaStream | undefined;
  send(callId: string, userId: string, signal: Signal): void;
}

export interface Peers {
  streams: Live<Map<string, MediaStream>>;
  /** The servers for connections that are made from now on. */
  use(servers: IceServer[]): void;
  /** Connects to all who are in the call, and lets go of who is no longer. */
  follow(call: Call): void;
  receive(userId: string, signal: Signal): void;
  drop(userId: string): void;
  /** The network has changed. */
  restart(): void;
  showVideo(track: MediaStreamTrack | null, stream: MediaStream): void;
  close(): void;
}

export function createPeers({ hub, me, stream, send }: PeersOptions): Peers {
  const peers = new Map<string, { peer: Peer; session: string | undefined }>();
  let streams = new Map<string, MediaStream>();
  let iceServers: IceServer[] = [];
  let callId = '';
  /** The signals of each user, one after the other. */
  const queues = new Map<string, Promise<void>>();

  function showStreams(next: Map<string, MediaStream>): void {
    streams = next;
    hub.changed();
  }

  function connectTo(userId: string): { peer: Peer; session: string | undefined } {
    const id = callId;
    const peer = createPeer({
      iceServers: iceServers as RTCIceServer[],
      isPolite: me() < userId,
      stream: stream(),
      send: (signal) => send(id, userId, signal),
      onStream: (remote) => showStreams(new Map(streams).set(userId, remote)),
    });
    const entry = { peer, session: undefined };
    peers.set(userId, entry);
    return entry;
  }

  function drop(userId: string): void {
    peers.get(userId)?.peer.close();
    peers.delete(userId);
    if (!streams.has(userId)) return;
    const next = new Map(streams);
    next.delete(userId);
    showStreams(next);
  }

  async function take(userId: string, signal: Signal): Promise<void> {
    const known = peers.get(userId);
    // It was for a connection that is no more.
    if (signal.to !== undefined && signal.to !== known?.peer.session) return;
    let entry = known ?? connectTo(userId);
    const isOffer = signal.description?.type === 'offer';
    // The other one has begun anew: on another device, or after a reload.
    if (isOffer && entry.session !== undefined && signal.session !== entry.session) {
      drop(userId);
      entry = connectTo(userId);
    }
    if (signal.description) entry.session = signal.session;
    await entry.peer.receive(signal);
  }

  return {
    streams: hub.live({ inputs: () => [streams], make: () => streams }),
    use(servers) {
      iceServers = servers;
    },
    follow({ _id, status, participants }) {
      callId = _id;
      if (status !== 'ongoing') return;
      const present = new Set(
        participants
          .filter(({ left_at, user_id }) => left_at === undefined && user_id !== me())
          .map((one) => one.user_id),
      );
      for (const userId of [...peers.keys()]) if (!present.has(userId)) drop(userId);
      for (const userId of present) if (!peers.has(userId)) connectTo(userId);
    },
    receive(userId, signal) {
      const before = queues.get(userId) ?? Promise.resolve();
      // What does not fit is of a state that has passed, or the other side's fault.
      queues.set(
        userId,
        before.then(() => take(userId, signal)).catch(() => {}),
      );
    },
    drop,
    restart() {
      for (const { peer } of peers.values()) {
        peer.repeat();
        peer.restart();
      }
    },
    showVideo(track, of) {
      for (const { peer } of peers.values()) {
        const sender = peer.connection.getSenders().find((one) => one.track?.kind === 'video');
        if (sender) void sender.replaceTrack(track);
        else if (track) peer.connection.addTrack(track, of);
      }
    },
    close() {
      for (const userId of [...peers.keys()]) drop(userId);
      queues.clear();
      showStreams(new Map());
    },
  };
}
