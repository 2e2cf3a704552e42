/** Notifications: whether there are any, and whether the browser shows them while the page is closed (Web Push). */
import { useClient, useMe } from 'letsapp-client/react';
import { useEffect, useState } from 'preact/hooks';
import { request } from '../api.ts';
import { attempt } from '../parts/notices.tsx';
import { Switch } from '../parts/switch.tsx';
import { isPushPossible, isSubscribed, subscribe, unsubscribe } from '../push.ts';

export function Notifications() {
  const client = useClient();
  const me = useMe();
  const isEnabled = me?.settings?.notifications_enabled !== false;
  const [isOn, setOn] = useState<boolean>();
  useEffect(() => void isSubscribed().then(setOn), []);

  async function change(wanted: boolean): Promise<void> {
    setOn(wanted);
    await attempt(() => (wanted ? subscribe(client) : unsubscribe()));
    setOn(await isSubscribed());
  }

  return (
    <section class="section">
      <h2>Notifications</h2>
      <Switch
        label="Notifications"
        hint="On all of your devices."
        isOn={isEnabled}
        disabled={!me}
        onChange={(on) => attempt(() => request('PATCH', '/users/me', { settings: { notifications_enabled: on } }))}
      />
      {isPushPossible() && (
        <Switch
          label="On this device"
          hint="Messages and calls are shown while the page is closed."
          isOn={isOn === true}
          disabled={isOn === undefined}
          onChange={change}
        />
      )}
    </section>
  );
}
