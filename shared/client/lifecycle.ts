/** What happens when the connection comes, goes and ends. */
import type { Activities } from './activity/activities.ts';
import type { Connection, Phase } from './connection/connection.ts';
import type { Durable } from './durable.ts';
import type { ClientError } from './errors.ts';
import type { Status } from './status.ts';
import type { CatchUp } from './sync/catch-up.ts';
import type { Refresh } from './sync/refresh.ts';

export interface LifecycleOptions {
  status: Status;
  connection: Connection;
  durable: Durable;
  catchUp: CatchUp;
  refresh: Refresh;
  activities: Activities;
  /** Whether to fetch what was missed. */
  sync: boolean;
  /** Something that shows depends on the state. */
  onChanged(): void;
}

export interface Lifecycle {
  onPhase(phase: Phase): void;
  /** @param error why the session is over; without it the app closes the client */
  close(error?: ClientError): Promise<void>;
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { status, connection, durable, catchUp, refresh, activities, sync, onChanged } = options;
  let closing: Promise<void> | undefined;

  function ready(): void {
    status.enter('ready');
    activities.flush();
    onChanged();
  }

  return {
    onPhase(phase) {
      if (phase !== 'ready') {
        activities.typing.clear();
        return status.enter(phase);
      }
      durable.outbox.flush();
      if (!sync) return ready();
      status.enter('syncing');
      // A connection that is lost meanwhile begins anew.
      catchUp.run().then(
        (isComplete) => isComplete && connection.isReady() && ready(),
        () => connection.isReady() && connection.again(),
      );
    },
    close(error) {
      closing ??= (async () => {
        status.enter('closed', error);
        connection.end();
        refresh.close();
        activities.close();
        onChanged();
        await durable.close();
      })();
      return closing;
    },
  };
}
