/** Firebase Cloud Messaging by its HTTP v1 API: https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages. */
import type { FcmConfig } from '../../config/push.ts';
import type { Outbound, OutboundAnswer } from '../../lib/outbound/outbound.ts';
import { createFcmTokens } from './fcm-token.ts';
import { type Outcome, outcomeOf, type Provider, type Push, unanswered } from './provider.ts';

/** The time for a push with its token, also where both are asked for twice, in milliseconds. */
const DEADLINE_MS = 10_000;

export interface FcmOptions {
  config: FcmConfig;
  outbound: Pick<Outbound, 'post'>;
}

export function createFcm({ config, outbound }: FcmOptions): Provider {
  const tokens = createFcmTokens({ config, outbound });
  const url = `${config.url}/v1/projects/${encodeURIComponent(config.projectId)}/messages:send`;

  async function post(device: string, push: Push, dueAt: number): Promise<{ answer: OutboundAnswer; token: string }> {
    const token = await tokens.current();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ message: messageOf(device, push) });
    const answer = await outbound.post({ url, headers, body, deadlineMs: dueAt - performance.now() });
    return { answer, token };
  }

  return {
    async send({ address }, push) {
      const dueAt = performance.now() + DEADLINE_MS;
      try {
        const first = await post(address, push, dueAt);
        if (first.answer.status !== 401) return await judge(first.answer);
        tokens.drop(first.token);
        const { answer } = await post(address, push, dueAt);
        // Even a new token was refused: this says nothing against the push.
        return answer.status === 401 ? { kind: 'retry', reason: '401' } : await judge(answer);
      } catch (error) {
        return unanswered(error);
      }
    },
    laneOf: () => 'fcm',
    close: () => {},
  };
}

/** A data message: its values are strings, and `from` is none of its keys. */
function messageOf(token: string, { payload, collapse, ttlS, urgency }: Push) {
  return {
    token,
    data: { payload: JSON.stringify(payload) },
    android: { collapse_key: collapse, priority: urgency === 'high' ? 'HIGH' : 'NORMAL', ttl: `${ttlS}s` },
  };
}

async function judge(answer: OutboundAnswer): Promise<Outcome> {
  const code = answer.status === 200 ? '' : errorCodeOf(await answer.body());
  if (code === 'UNREGISTERED') return { kind: 'gone', reason: code };
  return outcomeOf(answer.status, answer.headers['retry-after'], code);
}

/** The code of an `FcmError`, else the status of the API's error. */
function errorCodeOf(body: Buffer): string {
  try {
    const { details, status } = Object(Object(JSON.parse(body.toString())).error);
    const codes = Array.isArray(details) ? details.map((detail) => Object(detail).errorCode) : [];
    const found = codes.find((code) => typeof code === 'string') ?? status;
    return typeof found === 'string' ? found.slice(0, 100) : '';
  } catch {
    return '';
  }
}
