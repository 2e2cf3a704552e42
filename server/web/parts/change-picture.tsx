import { useClient } from 'letsapp-client/react';
import { useState } from 'preact/hooks';
import { attempt, notify } from './notices.tsx';

/**
 * Chooses a picture and uploads it.
 * @param onUploaded told the upload's id
 */
export function ChangePicture({ onUploaded }: { onUploaded(mediaId: string): Promise<unknown> }) {
  const client = useClient();
  const [isBusy, setBusy] = useState(false);

  async function change(input: HTMLInputElement): Promise<void> {
    const [file] = input.files ?? [];
    if (!file) return;
    setBusy(true);
    await attempt(async () => {
      const { media_id, message_type } = await client.upload(file);
      if (message_type === 'image') await onUploaded(media_id);
      else notify('Choose a picture.');
    });
    input.value = '';
    setBusy(false);
  }

  return (
    <label class="link change-picture">
      {isBusy ? 'Uploading…' : 'Change picture'}
      <input
        class="unseen"
        type="file"
        accept="image/*"
        disabled={isBusy}
        onChange={({ currentTarget }) => change(currentTarget)}
      />
    </label>
  );
}
