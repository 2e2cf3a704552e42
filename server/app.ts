/** The composition root: foundation, domains, edges; then it listens. */
import type { Logger } from 'pino';
import type { TracesConfig } from './config/traces.ts';
import type { Config } from './config.ts';
import { createDomains, type Domains } from './domains.ts';
import { createEdges, type Edges } from './edges.ts';
import { createFoundation, type Foundation } from './foundation.ts';
import { listen } from './http/listen.ts';
import { traceBy, tracing } from './lib/tracing.ts';

export interface App {
  /** Where it listens, e.g. `http://127.0.0.1:3000`. */
  url: string;
  /** Tells the clients, finishes what is in flight, and closes everything; takes less than ten seconds. */
  stop(): Promise<void>;
}

/** How long a start waits for Redis before the server serves without it, in milliseconds. */
const REDIS_PATIENCE_MS = 2000;

/**
 * Builds the server and listens.
 * @param config the checked configuration
 * @param mongodbUrl the store: real, or that of the embedded database
 * @throws Error when the database cannot be reached or the port is taken
 */
export async function startApp(config: Config, mongodbUrl: string, log: Logger): Promise<App> {
  if (config.traces) await trace(config.traces, log);
  const foundation = await createFoundation(config, mongodbUrl, log);
  const domains = await createDomains(foundation);
  const edges = createEdges(foundation, domains);
  if (config.adminUi) await openAdminUi(config.adminUi.password, foundation);

  await foundation.redis?.untilUp(REDIS_PATIENCE_MS);
  const url = await listen(foundation.http, config).catch(async (error: unknown) => {
    await foundation.io.close();
    await closeAll(foundation, domains, edges);
    throw error;
  });

  return {
    url,
    async stop() {
      // Before the connections close: their seats in calls are kept for after the restart.
      await domains.calls.close();
      await edges.drain();
      await domains.messages.idle();
      await foundation.http.close();
      await closeAll(foundation, domains, edges);
    },
  };
}

/** To be called before anything is made that can be traced. */
async function trace(traces: TracesConfig, log: Logger): Promise<void> {
  const { startTracing } = await import('./observability/tracing.ts');
  traceBy(startTracing(traces, log));
}

async function openAdminUi(password: string, foundation: Foundation): Promise<void> {
  const { createAdminUi } = await import('./gateway/admin-ui.ts');
  await createAdminUi(password, foundation);
}

/** From the top down: what uses something closes before it. */
async function closeAll(foundation: Foundation, domains: Domains, edges: Edges): Promise<void> {
  const { media, calls, messages, inbox, presence, accounts, push, webhooks } = domains;
  edges.close();
  await foundation.jobs.close();
  await media.close();
  await calls.close();
  messages.close();
  await inbox.close();
  await push.close();
  await webhooks.close();
  await presence.close();
  await accounts.close();
  await foundation.close();
  await tracing?.close();
}
