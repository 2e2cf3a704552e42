/**
 * The connection to one other device in a call, by WebRTC's perfect negotiation
 * (https://www.w3.org/TR/webrtc/#perfect-negotiation-example): both sides may offer at any time, and of two offers that
 * cross each other the polite side takes its own back.
 */

/** What goes over `call:signal`. */
export interface Signal {
  /** The connection that it comes from: one that was made anew has another. */
  session?: string | undefined;
  /** The connection that it is for, where that is known. */
  to?: string | undefined;
  description?: RTCSessionDescriptionInit;
  candidate?: RTCIceCandidateInit | null;
}

export interface PeerOptions {
  iceServers: RTCIceServer[];
  /** Whether this side gives way when offers cross: exactly one of the two does. */
  isPolite: boolean;
  /** What to send from the beginning. */
  stream: MediaStream | undefined;
  send(signal: Signal): void;
  /** The other side sends something, or no more. */
  onStream(stream: MediaStream): void;
}

export interface Peer {
  session: string;
  connection: RTCPeerConnection;
  receive(signal: Signal): Promise<void>;
  /** Looks for another way: the network has changed. */
  restart(): void;
  /** What the last description said may not have arrived: says it again. */
  repeat(): void;
  close(): void;
}

/** How long a connection may be disturbed before another way is looked for, in milliseconds. */
const DISTURBED_MS = 3000;

export function createPeer({ iceServers, isPolite, stream, send, onStream }: PeerOptions): Peer {
  const session = crypto.getRandomValues(new Uint32Array(2)).join('-');
  const connection = new RTCPeerConnection({ iceServers });
  let remoteSession: string | undefined;
  let isOffering = false;
  let isIgnoring = false;
  /** Candidates that came before the description that they belong to. */
  let early: RTCIceCandidateInit[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const describe = () => {
    const description = connection.localDescription;
    if (description)
      send({ session, to: remoteSession, description: { type: description.type, sdp: description.sdp } });
  };

  connection.onnegotiationneeded = async () => {
    try {
      isOffering = true;
      await connection.setLocalDescription();
      describe();
    } catch {
      // Closed meanwhile.
    } finally {
      isOffering = false;
    }
  };
  connection.onicecandidate = ({ candidate }) => {
    if (candidate) send({ session, to: remoteSession, candidate: candidate.toJSON() });
  };
  connection.ontrack = ({ track, streams: [remote] }) => {
    if (!remote) return;
    onStream(remote);
    track.onunmute = () => onStream(remote);
    remote.onremovetrack = () => onStream(remote);
  };
  connection.oniceconnectionstatechange = () => {
    clearTimeout(timer);
    const { iceConnectionState } = connection;
    if (iceConnectionState === 'failed') connection.restartIce();
    if (iceConnectionState === 'disconnected') timer = setTimeout(() => connection.restartIce(), DISTURBED_MS);
  };
  for (const track of stream?.getTracks() ?? []) connection.addTrack(track, stream!);

  async function receiveDescription(description: RTCSessionDescriptionInit): Promise<void> {
    const isCrossing = description.type === 'offer' && (isOffering || connection.signalingState !== 'stable');
    isIgnoring = !isPolite && isCrossing;
    if (isIgnoring || (description.type === 'answer' && connection.signalingState !== 'have-local-offer')) return;
    await connection.setRemoteDescription(description);
    for (const candidate of early.splice(0)) await connection.addIceCandidate(candidate).catch(() => {});
    if (description.type !== 'offer') return;
    await connection.setLocalDescription();
    describe();
  }

  return {
    session,
    connection,
    async receive({ session: from, description, candidate }) {
      if (description) {
        remoteSession = from;
        await receiveDescription(description);
      } else if (candidate && from === remoteSession) {
        if (!connection.remoteDescription) early.push(candidate);
        // Those of an offer that was ignored fit nothing.
        else await connection.addIceCandidate(candidate).catch((error: unknown) => isIgnoring || Promise.reject(error));
      }
    },
    restart: () => connection.restartIce(),
    repeat() {
      if (connection.signalingState === 'have-local-offer') describe();
    },
    close() {
      clearTimeout(timer);
      early = [];
      connection.onnegotiationneeded = null;
      connection.close();
    },
  };
}
