/** Web Push: the browser shows what is new while the page is closed. */
import type { Client } from 'letsapp-client';

export const isPushPossible = (): boolean =>
  'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

async function subscription(): Promise<PushSubscription | null> {
  if (!isPushPossible()) return null;
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

export const isSubscribed = async (): Promise<boolean> => (await subscription()) !== null;

/** Asks the person, then the browser's vendor, and tells the server where to send. */
export async function subscribe(client: Client): Promise<void> {
  const permission = await Notification.requestPermission();
  if (permission !== 'granted') throw new DOMException('notifications are not allowed', 'NotAllowedError');
  const answer = await fetch('/push/vapid');
  if (!answer.ok) throw new Error('Web Push is not set up on this server');
  const { public_key } = (await answer.json()) as { public_key: string };
  const { pushManager } = await navigator.serviceWorker.ready;
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: public_key });
  try {
    await client.call('push:subscribe' as never, { provider: 'webpush', subscription: made.toJSON() } as never);
  } catch (error) {
    await made.unsubscribe();
    throw error;
  }
}

/** The server learns of it from the browser's vendor, at the next push. */
export async function unsubscribe(): Promise<void> {
  await (await subscription())?.unsubscribe();
}
