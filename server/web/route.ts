/** Where in the app one is: the part of the address behind `#`, so that back, reload and links work. */
import type { Target } from 'letsapp-client';
import { useSyncExternalStore } from 'preact/compat';

export type Route =
  | { at: 'home' | 'new-chat' | 'new-group' | 'contacts' | 'search' | 'settings' }
  | { at: 'conversation'; target: Target; message: string | undefined };

const PAGES = ['new-chat', 'new-group', 'contacts', 'search', 'settings'] as const;
const ID = /^[0-9a-f]{24}$/;

export function routeOf(hash: string): Route {
  const [name = '', id = '', message] = hash.replace(/^#\/?/, '').split('/');
  const page = PAGES.find((one) => one === name);
  if (page) return { at: page };
  if (ID.test(id) && name === 'user') return { at: 'conversation', target: { recipient_id: id }, message };
  if (ID.test(id) && name === 'group') return { at: 'conversation', target: { group_id: id }, message };
  return { at: 'home' };
}

/** The address of a conversation, or of a message in it. */
export function linkTo({ recipient_id, group_id }: Target, message?: string): string {
  const place = group_id === undefined ? `#/user/${recipient_id}` : `#/group/${group_id}`;
  return message === undefined ? place : `${place}/${message}`;
}

export function go(address: string): void {
  location.hash = address;
}

let last: { hash: string; route: Route } | undefined;

function current(): Route {
  const { hash } = location;
  if (last?.hash !== hash) last = { hash, route: routeOf(hash) };
  return last.route;
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}
