/**
 * The connection to one other device in a call, by WebRTC's perfect negotiation
 * (https://www.w3.org/TR/webrtc/#perfect-negotiation-example): both sides may offer at any time, and of two offers that
 * cross each other the polite side takes its own back.
 *
 * At the start of a call both want to offer at the same moment. Chromium that takes back its first offer while it gathers
 * candidates sometimes never gathers again, and the call stays dark. So the polite side waits for the other's first offer,
 * and a connection that does not come about is tried again.
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
  /** Says an offer again that has no answer yet: it may not have arrived. @returns whether there is one */
  repeat(): boolean;
  close(): void;
}

/** How long a connection may be disturbed before another way is looked for, in milliseconds. */
const DISTURBED_MS = 3000;
/** How long the polite side waits for the other's first offer, in milliseconds. */
const GIVE_WAY_MS = 1000;
/** After how long a connection that is not there is tried again, in milliseconds; the polite side comes second. */
const STUCK_MS = { impolite: 8000, polite: 12_000 };
const CONNECTED: ReadonlySet<RTCIceConnectionState> = new Set(['connected', 'completed']);

/**
 * Looks for other ways where a connection breaks or does not come about.
 * @param stuckMs after how long it is tried again, in milliseconds
 * @param repeat says an offer again that waits for its answer; returns whether there is one
 * @returns ends it
 */
function watch(connection: RTCPeerConnection, stuckMs: number, repeat: () => boolean): () => void {
  let disturbed: ReturnType<typeof setTimeout> | undefined;
  connection.oniceconnectionstatechange = () => {
    clearTimeout(disturbed);
    const { iceConnectionState } = connection;
    if (iceConnectionState === 'failed') connection.restartIce();
    if (iceConnectionState === 'disconnected') disturbed = setTimeout(() => connection.restartIce(), DISTURBED_MS);
  };
  const stuck = setInterval(() => {
    if (!CONNECTED.has(connection.iceConnectionState) && !repeat()) connection.restartIce();
  }, stuckMs);
  return () => {
    clearTimeout(disturbed);
    clearInterval(stuck);
  };
}

export function createPeer({ iceServers, isPolite, stream, send, onStream }: PeerOptions): Peer {
  const session = crypto.getRandomValues(new Uint32Array(2)).join('-');
  const connection = new RTCPeerConnection({ iceServers });
  let remoteSession: string | undefined;
  let isOffering = false;
  let isIgnoring = false;
  /** Candidates that came before the description that they belong to. */
  let early: RTCIceCandidateInit[] = [];
  let givingWay: ReturnType<typeof setTimeout> | undefined;

  const describe = () => {
    const description = connection.localDescription;
    if (description)
      send({ session, to: remoteSession, description: { type: description.type, sdp: description.sdp } });
  };

  function repeat(): boolean {
    if (connection.signalingState !== 'have-local-offer') return false;
    describe();
    return true;
  }

  async function offer(): Promise<void> {
    try {
      isOffering = true;
      await connection.setLocalDescription();
      describe();
    } catch {
      // Closed meanwhile.
    } finally {
      isOffering = false;
    }
  }

  connection.onnegotiationneeded = () => {
    clearTimeout(givingWay);
    if (!isPolite || remoteSession !== undefined) void offer();
    else givingWay = setTimeout(() => void offer(), GIVE_WAY_MS);
  };
  const stopWatching = watch(connection, isPolite ? STUCK_MS.polite : STUCK_MS.impolite, repeat);
  connection.onicecandidate = ({ candidate }) => {
    if (candidate) send({ session, to: remoteSession, candidate: candidate.toJSON() });
  };
  connection.ontrack = ({ track, streams: [remote] }) => {
    if (!remote) return;
    onStream(remote);
    track.onunmute = () => onStream(remote);
    remote.onremovetrack = () => onStream(remote);
  };
  for (const track of stream?.getTracks() ?? []) connection.addTrack(track, stream!);

  async function receiveDescription(description: RTCSessionDescriptionInit): Promise<void> {
    const isCrossing = description.type === 'offer' && (isOffering || connection.signalingState !== 'stable');
    isIgnoring = !isPolite && isCrossing;
    // The own offer stands, and may be what has not arrived.
    if (isIgnoring) repeat();
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
        clearTimeout(givingWay);
        remoteSession = from;
        await receiveDescription(description);
      } else if (candidate && from === remoteSession) {
        if (!connection.remoteDescription) early.push(candidate);
        // Those of an offer that was ignored fit nothing.
        else await connection.addIceCandidate(candidate).catch((error: unknown) => isIgnoring || Promise.reject(error));
      }
    },
    restart: () => connection.restartIce(),
    repeat,
    close() {
      stopWatching();
      clearTimeout(givingWay);
      early = [];
      connection.onnegotiationneeded = null;
      connection.close();
    },
  };
}
