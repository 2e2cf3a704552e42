/** After a new signing key, the secrets of webhooks are encrypted anew, so that the one before can go. */
import type { Collections } from '../model/collections.ts';
import type { WebhookSecrets } from './secrets.ts';

/**
 * Encrypts anew the secrets that are under another key than the first. Nodes that start at once, even with keys in
 * another order, lose none: each can read what the others write.
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
