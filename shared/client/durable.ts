/** The part of a client that outlives it: the store and the outbox, kept for their user. */
import type { ClientEvents, ClientOptions } from './client.ts';
import type { Connection } from './connection/connection.ts';
import type { Emitter } from './emitter.ts';
import { createIdentity, type Identity } from './identity.ts';
import type { LiveHub } from './live/live.ts';
import { payloadOf } from './outbox/item.ts';
import { createOutbox, type Outbox } from './outbox/outbox.ts';
import { createShelf } from './outbox/shelf.ts';
import { createPersistence } from './storage/persistence.ts';
import type { Storage } from './storage/storage.ts';
import { createStore, type Store } from './store/store.ts';

export interface DurableOptions extends Pick<ClientOptions, 'getToken'> {
  storage: Storage;
  hub: LiveHub;
  emitter: Emitter<ClientEvents>;
  /** Asked only once there is something to send. */
  connection(): Pick<Connection, 'call' | 'isReady'>;
  /** A message of the outbox is in a conversation now. */
  onTouched(conversationId: string): void;
}

export interface Durable {
  store: Store;
  outbox: Outbox;
  /** Gives tokens once what is kept of their user is back. */
  identity: Identity;
  /** Writes what is to be written, and lets another client lead. */
  close(): Promise<void>;
}

export function createDurable({ getToken, storage, hub, emitter, connection, onTouched }: DurableOptions): Durable {
  const store = createStore(() => {
    hub.changed();
    persistence.changed();
  });
  const persistence = createPersistence({
    storage,
    state: store.state,
    onWarning: (warning) => emitter.emit('warning', warning),
    onLead: () => outbox.lead(),
    onNews: () => void outbox.reread(),
  });
  const outbox = createOutbox({
    isReady: () => connection().isReady(),
    transmit: (item) => connection().call('message:send', payloadOf(item)),
    onSent(data, { target }) {
      store.apply({ answer: 'message:send', payload: target as never, data });
      onTouched(data.message.conversation_id);
    },
    onChanged: hub.changed,
    onStored: persistence.tell,
  });
  const identity = createIdentity(getToken, async (owner) => {
    const { owned, restored } = await persistence.open(owner);
    if (restored) store.apply({ restored });
    await outbox.open(createShelf(owned));
  });
  return {
    store,
    outbox,
    identity,
    close() {
      outbox.close();
      return persistence.close(outbox.settled());
    },
  };
}
