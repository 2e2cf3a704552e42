/** Who is signed in, and the client of that user. Everything is kept in the browser's database, for all tabs. */
import { type Client, connect, session } from 'letsapp-client';
import { indexedDb } from 'letsapp-client/storage';

const storage = indexedDb('letsapp');

export const account = session(location.origin, storage);

/** Shown in the list of devices. */
const device_info = { device_type: 'web', platform: platform() };

export function openClient(): Client {
  return connect({ url: location.origin, getToken: account.getToken, storage, device_info });
}

/** The browser and the system, as far as they say. */
function platform(): string {
  const { userAgent } = navigator;
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent)?.[1] ?? 'Browser';
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(userAgent)?.[1];
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', 'Mac OS X': 'macOS' };
  return [names[browser] ?? browser, system && (names[system] ?? system)].filter(Boolean).join(' on ');
}
