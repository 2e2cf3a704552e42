/** Where in the app one is: the part of the address behind `#`, so that back, reload and links work. */
import type { Target } from 'letsapp-client';
import { useSyncExternalStore } from 'preact/compat';

/** Something in a conversation: a message, or the thread that hangs on one. */
export type Place = { message: string; thread?: never } | { thread: string; message?: never };

export type Route =
  | { at: 'home' | 'new-chat' | 'new-group' | 'contacts' | 'search' | 'settings' | 'activity' }
  | { at: 'conversation'; target: Target; place: Place | undefined }
  | { at: 'join'; code: string };

const PAGES = ['new-chat', 'new-group', 'contacts', 'search', 'settings', 'activity'] as const;
const ID = /^[0-9a-f]{24}$/;
/** The address of an invitation, which is no part behind `#`: others make it. */
const INVITATION = /^\/join\/([\w-]+)$/;

export function routeOf(hash: string): Route {
  const [name = '', id = '', ...rest] = hash.replace(/^#\/?/, '').split('/');
  const page = PAGES.find((one) => one === name);
  if (page) return { at: page };
  if (name === 'join' && id !== '') return { at: 'join', code: id };
  const place = placeOf(rest);
  if (ID.test(id) && name === 'user') return { at: 'conversation', target: { recipient_id: id }, place };
  if (ID.test(id) && name === 'group') return { at: 'conversation', target: { group_id: id }, place };
  return { at: 'home' };
}

function placeOf([first, second]: string[]): Place | undefined {
  if (first === 'thread' && ID.test(second ?? '')) return { thread: second! };
  return ID.test(first ?? '') ? { message: first! } : undefined;
}

/** The address of a conversation, or of something in it. */
export function linkTo({ recipient_id, group_id }: Target, place?: Place): string {
  const address = group_id === undefined ? `#/user/${recipient_id}` : `#/group/${group_id}`;
  if (place?.thread !== undefined) return `${address}/thread/${place.thread}`;
  return place ? `${address}/${place.message}` : address;
}

export function go(address: string): void {
  location.hash = address;
}

/** Whoever comes by an invitation's address goes on from there as from any other part of the app. */
export function takeInvitation(): void {
  const code = INVITATION.exec(location.pathname)?.[1];
  if (code !== undefined) history.replaceState(null, '', `/#/join/${code}`);
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
