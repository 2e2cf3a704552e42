import Type from 'typebox';
import { command } from './define.ts';
import { SENT } from './examples.ts';
import { Closed, Empty, Id, Nullable, OneOf, Timestamp } from './values.ts';

export const PUSH_PROVIDERS = ['webpush', 'fcm', 'apns'] as const;
export type PushProvider = (typeof PUSH_PROVIDERS)[number];

/** A `PushSubscription` of a browser, as its `toJSON` gives it. */
export interface WebPushSubscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
  expirationTime?: number | null;
}
export interface FcmSubscription {
  token: string;
}
export interface ApnsSubscription {
  token: string;
  voip_token?: string;
}

const SUBSCRIPTION = '665f1f77bcf86cd799439055';

const Base64 = Type.String({ pattern: '^[A-Za-z0-9_+/-]+={0,2}$', maxLength: 200 });
const DeviceToken = Type.String({ pattern: '^([0-9a-fA-F]{2})+$', maxLength: 200 });

const SUBSCRIPTIONS = {
  webpush: Closed({
    endpoint: Type.String({ minLength: 1, maxLength: 2048 }),
    keys: Closed({ p256dh: Base64, auth: Base64 }),
    expirationTime: Type.Optional(Nullable(Type.Number())),
  }),
  fcm: Closed({ token: Type.String({ minLength: 1, maxLength: 4096 }) }),
  apns: Closed({ token: DeviceToken, voip_token: Type.Optional(DeviceToken) }),
};

export const pushCommands = {
  'push:subscribe': command({
    summary: 'Has what the session misses pushed to its device: Web Push, FCM or APNs. Naming one again renews it.',
    payload: Closed(
      {
        provider: OneOf(PUSH_PROVIDERS),
        subscription: Type.Unsafe<WebPushSubscription | FcmSubscription | ApnsSubscription>({ type: 'object' }),
      },
      {
        allOf: PUSH_PROVIDERS.map((provider) => ({
          if: { properties: { provider: { const: provider } } },
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
          then: { properties: { subscription: SUBSCRIPTIONS[provider] } },
        })),
      },
    ),
    data: Type.Object({ subscription_id: Id }),
    of_session: true,
    example: {
      payload: {
        provider: 'webpush',
        subscription: {
          endpoint: 'https://push.example.org/wpush/v2/gAAAAABoa',
          keys: {
            p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
            auth: 'BTBZMqHH6r4Tts7J_aSIgg',
          },
          expirationTime: null,
        },
      },
      data: { subscription_id: SUBSCRIPTION },
    },
  }),
  'push:unsubscribe': command({
    summary: "Ends a subscription of the caller's session.",
    payload: Closed({ subscription_id: Id }),
    data: Empty,
    errors: ['not_found'],
    of_session: true,
    example: { payload: { subscription_id: SUBSCRIPTION }, data: {} },
  }),
  'push:list': command({
    summary: "The subscriptions of the caller's session.",
    payload: Empty,
    data: Type.Object({
      subscriptions: Type.Array(
        Type.Object({ subscription_id: Id, provider: OneOf(PUSH_PROVIDERS), created_at: Timestamp }),
      ),
    }),
    of_session: true,
    example: {
      payload: {},
      data: { subscriptions: [{ subscription_id: SUBSCRIPTION, provider: 'webpush', created_at: SENT }] },
    },
  }),
};
