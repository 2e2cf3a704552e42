import { ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Logger } from 'pino';

/** An exporter that never fails: what cannot be sent is lost, and the log says so once until it can be sent again. */
export function patientExporter(exporter: SpanExporter, log: Logger): SpanExporter {
  let isFailing = false;
  return {
    export(spans, done) {
      exporter.export(spans, ({ code, error }) => {
        const failed = code !== ExportResultCode.SUCCESS;
        if (failed && !isFailing) log.warn({ err: error }, 'traces cannot be sent; they are lost until they can');
        if (!failed && isFailing) log.warn('traces are sent again');
        isFailing = failed;
        done({ code: ExportResultCode.SUCCESS });
      });
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}
