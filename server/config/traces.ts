import { type Environment, readList, readUrl, wrongSetting } from '../lib/environment.ts';
import { ConfigError } from '../lib/errors.ts';

/** Where traces are sent: OTLP over HTTP (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). */
export interface TracesConfig {
  url: string;
  /** Sent along, by their names; they may hold keys. */
  headers: Record<string, string>;
}

/** @throws ConfigError where a setting is wrong, or there are headers but nowhere to send them */
export function readTraces(env: Environment): { traces: TracesConfig | undefined } {
  const endpoint = readUrl(env, 'OTEL_EXPORTER_OTLP_ENDPOINT', ['http:', 'https:']);
  const headers = Object.fromEntries(readList(env, 'OTEL_EXPORTER_OTLP_HEADERS').map(asHeader));
  if (endpoint !== undefined) return { traces: { url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, headers } };
  if (Object.keys(headers).length > 0) {
    throw new ConfigError('OTEL_EXPORTER_OTLP_HEADERS needs OTEL_EXPORTER_OTLP_ENDPOINT');
  }
  return { traces: undefined };
}

/** `name=value`, the value percent-encoded (W3C Baggage). An error leaves it out: it may be a key. */
function asHeader(text: string): [string, string] {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+)\s*=\s*([\x21-\x7e]*)$/.exec(text) ?? [];
  const decoded = value === undefined ? undefined : decode(value);
  if (name !== undefined && decoded !== undefined && !/[\r\n\0]/.test(decoded)) return [name, decoded];
  const problem = 'must be name=value, separated by commas, with percent-encoded values';
  throw wrongSetting('OTEL_EXPORTER_OTLP_HEADERS', problem, 'api-key=abc%2Fdef');
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
