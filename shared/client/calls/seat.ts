/** This device's seat in a call: how it is taken, kept and left. */
import type { Client } from '../client.ts';
import type { Call, EventPayload, IceServer } from '../contract.ts';
import { ClientError } from '../errors.ts';
import type { Live, LiveHub } from '../live/live.ts';
import { isOver, newerCall } from '../store/calls.ts';
import type { LocalMedia } from './local-media.ts';
import type { Peers } from './peers.ts';

export interface Seat {
  current: Live<Call | undefined>;
  /**
   * Opens the media, asks for a seat and connects to the others; without a seat the media are closed again. A refusal
   * leaves the call alone that this device is in already: a button may be pressed twice.
   * @throws ClientError, `busy` while another seat is asked for; what the browser throws where the user refuses
   */
  take(isVideo: boolean, ask: () => Promise<{ call: Call; ice_servers: IceServer[] }>): Promise<Call>;
  /** Lets go of the media and the others. */
  leave(): void;
  /** Listens no more, and leaves. */
  close(): void;
}

/** What comes while a seat is asked for, before the answer. */
interface Early {
  calls: Map<string, Call>;
  signals: EventPayload<'call:signal'>[];
}

export function createSeat(client: Client, hub: LiveHub, peers: Peers, local: LocalMedia): Seat {
  let current: Call | undefined;
  /** Undefined while no seat is asked for. */
  let meanwhile: Early | undefined;
  const myId = () => client.me.get()?._id;

  function leave(): void {
    current = undefined;
    peers.close();
    local.close();
    hub.changed();
  }

  /** What the call has become; a report may be late. */
  function follow(told: Call): void {
    const call = newerCall(current?._id === told._id ? current : undefined, told);
    if (isOver(call)) {
      leave();
      return;
    }
    current = call;
    peers.follow(call);
    hub.changed();
  }

  function onUpdated({ call, reason, user_id }: EventPayload<'call:updated'>): void {
    if (call._id !== current?._id) {
      meanwhile?.calls.set(call._id, newerCall(meanwhile.calls.get(call._id), call));
      return;
    }
    // Whoever is told of the own move is on the device that was left.
    if ((reason === 'moved' || reason === 'left') && (user_id ?? myId()) === myId()) {
      leave();
      return;
    }
    if (reason === 'left' && user_id !== undefined) peers.drop(user_id);
    follow(call);
  }

  function onSignal(told: EventPayload<'call:signal'>): void {
    if (told.call_id === current?._id) peers.receive(told.from_user_id, told.signal);
    else meanwhile?.signals.push(told);
  }

  /** The seat is kept for a while, a caller's too: it is taken again, and signals that were lost are said again. */
  async function comeBack(): Promise<void> {
    if (!current) return;
    try {
      const { call, ice_servers } = await client.call('call:join', { call_id: current._id });
      peers.use(ice_servers);
      follow(call);
      peers.restart();
    } catch {
      // Refused: the call is over. Without a connection, the next one asks again.
      if (client.state === 'ready') leave();
    }
  }

  const stops = [
    client.on('call:incoming', ({ call }) => void client.call('call:ringing', { call_id: call._id }).catch(() => {})),
    client.on('call:updated', onUpdated),
    client.on('call:signal', onSignal),
    client.on('state', (state) => {
      if (state === 'ready') void comeBack();
      if (state === 'closed') leave();
    }),
  ];

  return {
    current: hub.live({ inputs: () => [current], make: () => current }),
    async take(isVideo, ask) {
      if (meanwhile) throw new ClientError({ code: 'busy', message: 'this device is about to be in a call' });
      const early: Early = { calls: new Map(), signals: [] };
      meanwhile = early;
      try {
        await local.open(isVideo);
        const { call, ice_servers } = await ask();
        peers.use(ice_servers);
        const latest = newerCall(early.calls.get(call._id), call);
        follow(latest);
        for (const signal of early.signals.splice(0)) onSignal(signal);
        return latest;
      } catch (error) {
        if (!current) leave();
        throw error;
      } finally {
        meanwhile = undefined;
      }
    },
    leave,
    close() {
      for (const stop of stops) stop();
      leave();
    },
  };
}
