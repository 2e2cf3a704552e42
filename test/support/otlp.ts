/** A receiver of OTLP over HTTP, as JSON: it keeps every span that it is sent. */
import { createServer } from 'node:http';

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Undefined at the beginning of a trace. */
  parentSpanId: string | undefined;
  name: string;
  links: { traceId: string; spanId: string }[];
  attributes: Record<string, unknown>;
  /** Of the process that sent it. */
  instance: string;
}

export interface OtlpReceiver {
  url: string;
  spans: ReceivedSpan[];
  /** The headers of the last request. */
  headers(): Record<string, unknown>;
  /** From now on it answers with this status. */
  answer(status: number): void;
  close(): Promise<void>;
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

interface TracesData {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: (Omit<ReceivedSpan, 'attributes'> & { attributes: Attribute[] })[] }[];
  }[];
}

const valuesOf = (attributes: Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  let headers: Record<string, unknown> = {};
  let status = 200;
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    headers = request.headers;
    if (status === 200 && request.url === '/v1/traces') {
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as TracesData;
      for (const { resource, scopeSpans } of resourceSpans) {
        const instance = String(valuesOf(resource.attributes)['service.instance.id']);
        for (const { attributes, links = [], ...span } of scopeSpans.flatMap((scope) => scope.spans)) {
          spans.push({ ...span, links, attributes: valuesOf(attributes), instance });
        }
      }
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    spans,
    headers: () => headers,
    answer(next) {
      status = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
