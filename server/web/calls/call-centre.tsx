/** Calls: what rings, what goes on, and starting one from anywhere in the app. */
import type { Call, PublicUser, Target } from 'letsapp-client';
import { type Calls, createCalls } from 'letsapp-client/calls';
import { useClient, useMe } from 'letsapp-client/react';
import { type ComponentChildren, createContext } from 'preact';
import { useContext, useEffect, useMemo, useState } from 'preact/hooks';
import { attempt } from '../parts/notices.tsx';
import { CallView } from './call-view.tsx';
import { Incoming } from './incoming.tsx';
import '../styles/calls.css';

interface CallCentreContext {
  start(target: Target, type: Call['call_type']): void;
}

const Context = createContext<CallCentreContext>({ start() {} });
export const useCallCentre = (): CallCentreContext => useContext(Context);

interface Ringing {
  call: Call;
  from: PublicUser;
}

const OVER = new Set<Call['status']>(['ended', 'missed', 'rejected']);
/** So long a call that is over stays on the screen, in milliseconds. */
const SHOWN_MS = 1500;

export function CallCentre({ children }: { children: ComponentChildren }) {
  const client = useClient();
  const calls = useMemo(() => createCalls(client), [client]);
  useEffect(() => calls.close, [calls]);
  const ringing = useRinging();
  const current = useCurrent(calls);

  const context = useMemo<CallCentreContext>(
    () => ({ start: (target, type) => void current.begin(() => calls.start(target, type)) }),
    [calls],
  );

  return (
    <Context.Provider value={context}>
      {children}
      {ringing.list.map(({ call, from }) => (
        <Incoming
          key={call._id}
          call={call}
          from={from}
          onAccept={() => {
            ringing.answered(call);
            void current.begin(() => calls.accept(call._id));
          }}
          onDecline={() => {
            ringing.answered(call);
            void attempt(() => calls.reject(call._id));
          }}
        />
      ))}
      {current.call && <CallView call={current.call} calls={calls} onHangUp={current.hangUp} />}
    </Context.Provider>
  );
}

/** The calls that ring on this device. */
function useRinging() {
  const client = useClient();
  const me = useMe()?._id;
  const [list, setList] = useState<Ringing[]>([]);
  const without = ({ _id }: Call) => setList((all) => all.filter(({ call }) => call._id !== _id));

  useEffect(() => {
    const ends = [
      client.on('call:incoming', (incoming) => {
        setList((all) => [...all.filter(({ call }) => call._id !== incoming.call._id), incoming]);
        void client.call('call:ringing', { call_id: incoming.call._id }).catch(() => {});
      }),
      client.on('call:updated', ({ call, reason, user_id }) => {
        const isMine = user_id === undefined || user_id === me;
        const isAnswered =
          reason === 'answered_elsewhere' || (isMine && (reason === 'rejected' || reason === 'missed'));
        if (OVER.has(call.status) || isAnswered) without(call);
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [client, me]);

  return { list, answered: without };
}

/** The call that this device takes part in. */
function useCurrent(calls: Calls) {
  const client = useClient();
  const [call, setCall] = useState<Call>();

  useEffect(
    () =>
      client.on('call:updated', ({ call: changed, reason }) => {
        setCall((shown) => {
          // What comes late does not bring back a call that is over.
          if (shown?._id !== changed._id || OVER.has(shown.status)) return shown;
          if (reason === 'moved') return undefined;
          return changed;
        });
      }),
    [client],
  );
  const isOver = call !== undefined && OVER.has(call.status);
  useEffect(() => {
    if (!isOver) return undefined;
    const timer = setTimeout(() => setCall(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isOver, call?._id]);

  /** Takes part in a call, after leaving the one before. */
  async function begin(start: () => Promise<Call>): Promise<void> {
    const before = calls.current.get();
    if (before) await calls.end(before._id).catch(() => {});
    const begun = await attempt(start);
    if (begun) setCall(begun);
  }

  /** Who hangs up is told by the answer alone, no event; a group's call goes on without them. */
  async function hangUp(): Promise<void> {
    const left = call && (await attempt(() => calls.end(call._id)));
    setCall(left && OVER.has(left.status) ? left : undefined);
  }

  return { call, begin, hangUp };
}
