/** The parts of the benchmark, in the order in which they run: those that fill the database come last. */
import type { Part } from './part.ts';
import { beside } from './parts/beside.ts';
import { connections } from './parts/connections.ts';
import { counts } from './parts/counts.ts';
import { group } from './parts/group.ts';
import { history, million } from './parts/history.ts';
import { inserts } from './parts/inserts.ts';
import { latency } from './parts/latency.ts';
import { life } from './parts/life.ts';
import { lists } from './parts/lists.ts';
import { media } from './parts/media.ts';
import { memory } from './parts/memory.ts';
import { nodes } from './parts/nodes.ts';
import { push } from './parts/push.ts';
import { rest } from './parts/rest.ts';
import { signins } from './parts/signins.ts';
import { stages } from './parts/stages.ts';
import { storms } from './parts/storms.ts';
import { throughput } from './parts/throughput.ts';
import { webhooks } from './parts/webhooks.ts';

export const PARTS: Record<string, Part> = {
  life,
  throughput,
  counts,
  stages,
  latency,
  signins,
  connections,
  memory,
  rest,
  group,
  storms,
  nodes,
  media,
  webhooks,
  push,
  inserts,
  lists,
  history,
  million,
  beside,
};
