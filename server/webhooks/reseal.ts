/** After a new signing key, the secrets of webhooks are encrypted anew, so that the one before can go. */
import type { Collections } from '../model/collections.ts';
import type { WebhookSecrets } from './secrets.ts';

/**
 * Encrypts those anew that are under a key before the first. Nodes that start at once, with keys in another order even, do
 * not lose one: each can read what the others write.
 */
export async function resealSecrets(
  { webhooks }: Pick<Collections, 'webhooks'>,
  secrets: Pick<WebhookSecrets, 'reseal'>,
): Promise<void> {
  for await (const { _id, secret } of webhooks.find({}, { projection: { secret: 1 } })) {
    const sealed = secrets.reseal(secret);
    if (sealed !== undefined) await webhooks.updateOne({ _id, secret }, { $set: { secret: sealed } });
  }
}
