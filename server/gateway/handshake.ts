/** The handshake: who connects, and from which device (PROTOCOL section 3). */
import { DeviceInfo } from '../../shared/contract/values.ts';
import type { IoSocket } from '../delivery/io.ts';
import type { Authenticate, Authenticated } from '../http/authentication.ts';
import { unauthenticated, unavailable } from '../lib/errors.ts';
import { assertPlain } from '../lib/plain-json.ts';
import { compile, validationFailed } from '../lib/validation.ts';
import type { DeviceInfo as StoredDeviceInfo } from '../model/documents/accounts.ts';
import type { Reach } from '../model/reach.ts';

/** What a handshake has established. */
export interface Admission extends Authenticated {
  device: StoredDeviceInfo | undefined;
}

export interface HandshakeOptions {
  authenticate: Authenticate;
  reach: Pick<Reach, 'orAway'>;
  isDraining(): boolean;
}

const validateDevice = compile(DeviceInfo);

/**
 * Checks a handshake.
 * @throws ContractError `unauthenticated`, `validation_failed` for a bad `device_info`, `unavailable` while draining
 */
export async function shakeHands(
  { handshake }: IoSocket,
  { authenticate, reach, isDraining }: HandshakeOptions,
): Promise<Admission> {
  const { token, device_info: device } = handshake.auth as Record<string, unknown>;
  if (typeof token !== 'string') throw unauthenticated();
  if (isDraining()) throw unavailable('the server is going down');
  // Before anything else is checked: strangers learn nothing but that they are refused.
  const authenticated = await reach.orAway(authenticate(token));
  return { ...authenticated, device: asDevice(device ?? undefined) };
}

function asDevice(device: unknown): StoredDeviceInfo | undefined {
  if (device === undefined) return undefined;
  assertPlain(device);
  if (!validateDevice(device)) throw validationFailed(validateDevice);
  return device as StoredDeviceInfo;
}

/** Frees the parts of a socket that only its handshake needs (request, headers, token). */
export function forgetHandshake({ conn, handshake }: IoSocket): void {
  Object.assign(conn, { request: undefined });
  Object.assign(handshake, { auth: {}, headers: {}, query: {} });
}
