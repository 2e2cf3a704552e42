/** Clients of a real server, closed after each test. */
import { expect, onTestFinished } from 'vitest';
import type { Client, ClientOptions } from '../../shared/client/client.ts';
import { connect } from '../../shared/client/index.ts';
import type { Account } from '../support/client.ts';

/** Connects a client of an account. */
export function open(
  url: string,
  account: Pick<Account, 'access_token'>,
  options: Partial<ClientOptions> = {},
): Client {
  const client = connect({ url, getToken: () => account.access_token, ...options });
  onTestFinished(() => client.close());
  return client;
}

export const ready = (client: Client) => expect.poll(() => client.state).toBe('ready');

export async function openReady(...args: Parameters<typeof open>): Promise<Client> {
  const client = open(...args);
  await ready(client);
  return client;
}

/** What is shown of a conversation: text and state of each message. */
export const shownBy = (client: Client, target: Parameters<Client['messages']>[0]) =>
  client
    .messages(target)
    .get()
    .messages.map(({ content, state }) => (state ? `${content} ${state}` : content));

/** Records what a client is told of messages. */
export function record(client: Client): string[] {
  const told: string[] = [];
  for (const name of ['message:new', 'message:updated'] as const) {
    client.on(name, ({ message, missed }) => {
      told.push(`${name.slice(8)} ${message.content}${missed ? ' missed' : ''}`);
    });
  }
  return told;
}
