import type { WireError } from '../contract.ts';
import { ClientError } from '../errors.ts';

/**
 * One HTTP request of the contract, with a JSON body.
 * @returns undefined where the answer has no body
 * @throws ClientError the server's refusal; `unavailable` where it cannot be reached
 */
export async function request<T>(
  origin: string,
  method: string,
  route: string,
  { body, token }: { body?: unknown; token?: string } = {},
): Promise<T> {
  const response = await fetch(origin + route, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new ClientError({ code: 'unavailable', message: `the server cannot be reached: ${String(cause)}` });
  });
  const text = await response.text().catch(() => '');
  const answer = parse(text) as { error?: WireError } | undefined;
  if (response.ok) return answer as T;
  throw new ClientError(answer?.error ?? { code: 'unavailable', message: `HTTP ${response.status}` });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
