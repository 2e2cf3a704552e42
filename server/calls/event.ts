import type { Device } from './call.ts';

/** What time does to a call: the ring timeout passes, or a grace period ends without its user. */
export type TimeEvent = { type: 'ring_timeout' } | { type: 'grace_over'; user: string };

/** What can happen to a call. */
export type CallEvent =
  /** A user acts on any device, or is removed from the group. */
  | { type: 'ringing' | 'reject' | 'remove'; user: string }
  /** A user leaves by a device, or by none (over HTTP). */
  | { type: 'leave'; user: string; device?: Device }
  /** A user takes a seat on a device. */
  | { type: 'accept' | 'join'; user: string; device: Device }
  /** A device is gone; its user may come back until a time. */
  | { type: 'disconnect'; user: string; device: Device; until: Date }
  /** One of a pair blocks the other, or the group is deleted. */
  | { type: 'block' | 'close' }
  | TimeEvent;
