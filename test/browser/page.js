/**
 * A minimal web client for calls: signaling over the socket and one RTCPeerConnection for each other participant,
 * negotiated by "perfect negotiation" (W3C WebRTC 1.0, section 10.7).
 */
window.startClient = async ({ token, userId }) => {
  const media = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 }, audio: true });
  const socket = window.io({ auth: { token }, transports: ['websocket'], reconnection: false });
  const client = { socket, userId, call: undefined, ringing: undefined, reasons: [], peers: new Map(), inCall: false };

  const send = async (name, payload) => {
    const answer = await socket.emitWithAck(name, payload);
    if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(answer.error)}`);
    return answer.data;
  };

  function peerOf(otherId) {
    if (client.peers.has(otherId)) return client.peers.get(otherId);
    const connection = new RTCPeerConnection({ iceServers: client.iceServers });
    const peer = { connection, polite: userId < otherId, makingOffer: false, ignoreOffer: false };
    client.peers.set(otherId, peer);
    const signal = (content) => {
      send('call:signal', { call_id: client.call._id, to_user_id: otherId, signal: content }).catch(() => {});
    };
    connection.onicecandidate = ({ candidate }) => candidate && signal({ candidate: candidate.toJSON() });
    connection.onnegotiationneeded = async () => {
      try {
        peer.makingOffer = true;
        await connection.setLocalDescription();
        signal({ description: connection.localDescription.toJSON() });
      } finally {
        peer.makingOffer = false;
      }
    };
    connection.ontrack = ({ streams }) => {
      peer.video ??= document.body.appendChild(document.createElement('video'));
      peer.video.muted = true;
      peer.video.srcObject = streams[0];
      peer.video.play();
    };
    for (const track of media.getTracks()) connection.addTrack(track, media);
    return peer;
  }

  function drop(otherId) {
    client.peers.get(otherId)?.connection.close();
    client.peers.delete(otherId);
  }

  socket.on('call:signal', async ({ from_user_id, signal: { description, candidate } }) => {
    const peer = peerOf(from_user_id);
    const { connection } = peer;
    if (description) {
      const collides = description.type === 'offer' && (peer.makingOffer || connection.signalingState !== 'stable');
      peer.ignoreOffer = !peer.polite && collides;
      if (peer.ignoreOffer) return;
      await connection.setRemoteDescription(description);
      if (description.type === 'offer') {
        await connection.setLocalDescription();
        const answer = { description: connection.localDescription.toJSON() };
        await send('call:signal', { call_id: client.call._id, to_user_id: from_user_id, signal: answer });
      }
    } else if (!peer.ignoreOffer) {
      await connection.addIceCandidate(candidate);
    }
  });

  const isOver = (call) => ['ended', 'missed', 'rejected'].includes(call.status);

  socket.on('call:incoming', ({ call }) => {
    client.ringing = call._id;
    client.call = call;
    send('call:ringing', { call_id: call._id });
  });
  socket.on('call:updated', ({ call, reason, user_id }) => {
    client.reasons.push(reason);
    client.call = call;
    if (reason === 'answered_elsewhere' || isOver(call)) client.ringing = undefined;
    if (isOver(call)) hangUp();
    else if (client.inCall && (reason === 'accepted' || reason === 'joined')) peerOf(user_id);
    else if (reason === 'left') drop(user_id);
  });

  function hangUp() {
    client.inCall = false;
    for (const otherId of [...client.peers.keys()]) drop(otherId);
  }

  function enter({ call, ice_servers }) {
    client.call = call;
    client.iceServers = ice_servers;
    client.ringing = undefined;
    client.inCall = true;
    return call._id;
  }

  client.initiate = async (target) => enter(await send('call:initiate', { ...target, call_type: 'video' }));
  client.accept = async () => enter(await send('call:accept', { call_id: client.call._id }));
  client.end = async () => {
    const { call } = await send('call:end', { call_id: client.call._id });
    client.call = call;
    hangUp();
    return call.status;
  };
  client.restartIce = () => {
    for (const { connection } of client.peers.values()) connection.restartIce();
  };
  /** What tests look at, such as each peer's decoded frames and ICE credentials. */
  client.look = async () => {
    const peers = [];
    for (const { connection } of client.peers.values()) {
      const stats = [...(await connection.getStats()).values()];
      const video = stats.find((entry) => entry.type === 'inbound-rtp' && entry.kind === 'video');
      peers.push({
        frames: video?.framesDecoded ?? 0,
        state: connection.iceConnectionState,
        ufrag: /a=ice-ufrag:(\S+)/.exec(connection.currentLocalDescription?.sdp ?? '')?.[1],
      });
    }
    const { ringing, reasons, inCall, call } = client;
    return { peers, ringing, reasons, inCall, status: call?.status };
  };
  window.client = client;
  await new Promise((resolve, reject) => {
    socket.once('session:ready', resolve);
    socket.once('connect_error', reject);
  });
};
