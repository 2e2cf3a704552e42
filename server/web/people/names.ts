/** Names of people: from what the client knows, else the server is asked once. */
import type { Client, PublicUser, Target } from 'letsapp-client';
import { useClient, useConversations, useMe } from 'letsapp-client/react';
import { useEffect, useState } from 'preact/hooks';

const asked = new WeakMap<Client, Map<string, Promise<PublicUser | undefined>>>();
const found = new WeakMap<Client, Map<string, PublicUser>>();

export const nameOf = ({ full_name, username }: Pick<PublicUser, 'full_name' | 'username'>): string =>
  full_name || username;

function known(client: Client, id: string): PublicUser | undefined {
  const me = client.me.get();
  if (me?._id === id) return me;
  const peer = client.conversations.get().find((one) => one.peer?._id === id)?.peer;
  const contact = () => client.contacts.get().find((one) => one.contact_id === id);
  return peer ?? (contact() as { user?: PublicUser } | undefined)?.user ?? found.get(client)?.get(id);
}

function lookUp(client: Client, id: string): Promise<PublicUser | undefined> {
  const byId = asked.get(client) ?? new Map();
  const people = found.get(client) ?? new Map();
  asked.set(client, byId);
  found.set(client, people);
  const asking =
    byId.get(id) ??
    client.call('user:get', { user_id: id }).then(
      ({ user }) => {
        people.set(id, user);
        return user;
      },
      () => {
        byId.delete(id);
        return undefined;
      },
    );
  byId.set(id, asking);
  return asking;
}

/** Keeps people who were found. */
export function remember(client: Client, users: readonly PublicUser[]): void {
  const people = found.get(client) ?? new Map();
  found.set(client, people);
  for (const user of users) people.set(user._id, user);
}

/** The others of a conversation, as far as they are known. */
export function peopleIn(client: Client, { recipient_id, group_id }: Target): PublicUser[] {
  const me = client.me.get()?._id;
  const group = client.conversations.get().find((one) => one.group?._id === group_id)?.group;
  const ids = group_id === undefined ? [recipient_id] : (group?.members ?? []);
  return ids.filter((id) => id !== me).flatMap((id) => known(client, id) ?? []);
}

/** Somebody by id; undefined until it is known who that is. */
export function usePerson(id: string): PublicUser | undefined {
  const client = useClient();
  useConversations();
  useMe();
  const [, setLoaded] = useState(0);
  const person = known(client, id);
  useEffect(() => {
    if (!person) void lookUp(client, id).then((user) => user && setLoaded((count) => count + 1));
  }, [client, id, person === undefined]);
  return person;
}

/** Several at once, in the order given; those who are not known yet are left out. */
export function usePeople(ids: readonly string[]): PublicUser[] {
  const client = useClient();
  useConversations();
  const [, setLoaded] = useState(0);
  const missing = ids.filter((id) => !known(client, id));
  useEffect(() => {
    for (const id of missing) void lookUp(client, id).then((user) => user && setLoaded((count) => count + 1));
  }, [client, missing.join()]);
  return ids.flatMap((id) => known(client, id) ?? []);
}
