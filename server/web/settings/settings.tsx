/** Settings: the profile, what others learn, notifications, devices. */
import { useMe } from 'letsapp-client/react';
import { useState } from 'preact/hooks';
import { request } from '../api.ts';
import { Avatar } from '../parts/avatar.tsx';
import { ChangePicture } from '../parts/change-picture.tsx';
import { Field } from '../parts/field.tsx';
import { attempt } from '../parts/notices.tsx';
import { Sheet } from '../parts/sheet.tsx';
import { Switch } from '../parts/switch.tsx';
import { nameOf } from '../people/names.ts';
import { Devices } from './devices.tsx';
import { Notifications } from './notifications.tsx';

type Setting = 'read_receipts_enabled' | 'typing_indicators_enabled';

export function Settings({ onLogOut }: { onLogOut(): void }) {
  return (
    <Sheet title="Settings">
      <Profile />
      <section class="section">
        <h2>Privacy</h2>
        <Setting
          name="read_receipts_enabled"
          label="Read receipts"
          hint="Others see what you have read, and you what they have."
        />
        <Setting
          name="typing_indicators_enabled"
          label="Typing"
          hint="Others see when you write, and you when they do."
        />
      </section>
      <Notifications />
      <Devices />
      <button type="button" class="button button--danger" onClick={onLogOut}>
        Log out
      </button>
    </Sheet>
  );
}

function Setting({ name, label, hint }: { name: Setting; label: string; hint: string }) {
  const me = useMe();
  const stored = me?.settings?.[name] !== false;
  const [wanted, setWanted] = useState<boolean>();
  async function change(isOn: boolean): Promise<void> {
    setWanted(isOn);
    await attempt(() => request('PATCH', '/users/me', { settings: { [name]: isOn } }));
    setWanted(undefined);
  }
  return <Switch label={label} hint={hint} isOn={wanted ?? stored} disabled={!me} onChange={change} />;
}

function Profile() {
  const me = useMe();
  const [isSaved, setSaved] = useState(false);
  if (!me) return null;

  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const profile = { full_name: String(data.get('full_name')).trim() || null, bio: String(data.get('bio')).trim() };
    setSaved((await attempt(() => request('PATCH', '/users/me', profile))) !== undefined);
  }

  return (
    <section class="section">
      <h2>Profile</h2>
      <div class="profile">
        <Avatar name={nameOf(me)} picture={me.profile_picture} size={72} />
        <div>
          <p class="profile__name">{nameOf(me)}</p>
          <p class="sheet__note">
            @{me.username}, {me.email}
          </p>
          <ChangePicture onUploaded={(id) => request('PATCH', '/users/me', { profile_picture: id })} />
        </div>
      </div>
      <form class="profile__form" onSubmit={save} onInput={() => setSaved(false)}>
        <Field
          label="Full name"
          name="full_name"
          defaultValue={me.full_name ?? ''}
          maxLength={100}
          autoComplete="name"
          autoCapitalize="words"
        />
        <Field label="About you" name="bio" defaultValue={me.bio} maxLength={500} autoCapitalize="sentences" />
        <button type="submit" class="button">
          Save
        </button>{' '}
        <span role="status">{isSaved && 'Saved'}</span>
      </form>
    </section>
  );
}
