/** The few requests of the page that are no commands. */
import { ClientError } from 'letsapp-client';
import { account } from './account.ts';

/** @returns the answer's JSON, `{}` where there is none. @throws ClientError a refusal */
export async function request<T = object>(method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${await account.getToken()}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const json = (await answer.json().catch(() => ({}))) as T & { error?: ConstructorParameters<typeof ClientError>[0] };
  if (json.error) throw new ClientError(json.error);
  return json;
}
