/** Puts a client together: connection, store, catching up, outbox, live values. */
import { createActivities } from './activity/activities.ts';
import type { Client, ClientEvents, ClientOptions } from './client.ts';
import { createCall, createChanges } from './commands.ts';
import { type Connection, createConnection } from './connection/connection.ts';
import { createDurable } from './durable.ts';
import { createEmitter } from './emitter.ts';
import { createLifecycle } from './lifecycle.ts';
import { createLiveHub } from './live/live.ts';
import { originOf } from './session/origin.ts';
import { createStatus } from './status.ts';
import { memory } from './storage/memory.ts';
import { createCatchUp } from './sync/catch-up.ts';
import { createIncoming } from './sync/incoming.ts';
import { createRefresh } from './sync/refresh.ts';
import { upload } from './upload/upload.ts';
import { createHistory } from './views/history.ts';
import { createOptimistic } from './views/optimistic.ts';
import { createSending } from './views/sending.ts';
import { createViews } from './views/views.ts';

/**
 * Connects, and stays connected until `close` or the end of the session.
 * @throws TypeError where `url` is not that of a server, or `newest` is not from 1 to 200
 */
export function connect({ newest = 50, sync = true, storage = memory(), ...options }: ClientOptions): Client {
  const url = originOf(options.url);
  checkNewest(newest);
  const { getToken, device_info } = options;
  const emitter = createEmitter<ClientEvents>();
  const hub = createLiveHub();
  const status = createStatus(emitter);
  let connection: Connection;
  const durable = createDurable({
    getToken,
    storage,
    hub,
    emitter,
    connection: () => connection,
    onTouched: (id) => refresh.touched(id),
  });
  const { store, outbox, identity } = durable;
  const isReady = () => connection.isReady();
  const call = createCall(
    (name, payload) => connection.call(name, payload),
    store,
    (id) => refresh.touched(id),
  );
  const activities = createActivities({ call, isReady, store, onChanged: hub.changed });
  const { marks, typing } = activities;
  const optimistic = createOptimistic(hub.changed);
  const history = createHistory({ call, store, onChanged: hub.changed });
  const { trim, ...views } = createViews({
    hub,
    store,
    outbox,
    owner: identity.owner,
    optimistic,
    activities,
    history,
    isComing: () => sync && store.state().since === undefined && status.state() !== 'closed',
  });
  const catchUp = createCatchUp({
    call,
    store,
    newest,
    onMessage: (name, message, isMissed) => incoming.message(name, message, isMissed),
    onPage: (ids) => ids.forEach(marks.delivered),
  });
  const refresh = createRefresh({
    store,
    mayAsk: () => sync && status.state() === 'ready',
    ask: () => catchUp.run(false),
  });
  const incoming = createIncoming({ store, emitter, marks, typing, outbox, catchUp, onTouched: refresh.touched, trim });
  connection = createConnection({
    url,
    getToken: identity.token,
    device_info,
    onEvent: incoming.event,
    onPhase: (phase) => lifecycle.onPhase(phase),
    onEnd: (error) => void lifecycle.close(error),
  });
  const parts = { status, connection, durable, catchUp, refresh, activities, sync };
  const lifecycle = createLifecycle({ ...parts, onChanged: hub.changed });
  connection.open();

  return {
    get state() {
      return status.state();
    },
    get error() {
      return status.error();
    },
    on: emitter.on,
    call: (name, ...[payload]) => call(name, payload ?? ({} as never)),
    ...views,
    ...createChanges(call, store, optimistic),
    loadOlder: history.loadOlder,
    loadOlderReplies: activities.threads.loadOlder,
    ...createSending({ outbox, store, typing, owner: identity.owner }),
    markRead: marks.read,
    markThreadRead: activities.threads.read,
    setDraft: activities.drafts.set,
    setTyping: typing.set,
    upload: (file, how) => upload(url, identity.token, file, how),
    close: () => lifecycle.close(),
  };
}

function checkNewest(newest: number): void {
  if (Number.isInteger(newest) && newest >= 1 && newest <= 200) return;
  throw new TypeError(`newest must be a whole number from 1 to 200, and is ${newest}`);
}
