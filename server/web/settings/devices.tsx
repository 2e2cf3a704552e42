/** The user's sessions, each of which can be ended from here. */
import { useEffect, useState } from 'preact/hooks';
import { request } from '../api.ts';
import { Icon } from '../parts/icon.tsx';
import { attempt } from '../parts/notices.tsx';
import { briefly } from '../when.ts';

interface SessionInfo {
  session_id: string;
  device_info?: { device_type?: string; platform?: string } | null;
  last_used_at: string;
  current: boolean;
}

export function Devices() {
  const [sessions, setSessions] = useState<SessionInfo[]>();
  const load = () =>
    request<{ sessions: SessionInfo[] }>('GET', '/auth/sessions').then((found) => setSessions(found.sessions));
  useEffect(() => void load().catch(() => {}), []);

  async function end({ session_id }: SessionInfo): Promise<void> {
    await attempt(() => request('DELETE', `/auth/sessions/${session_id}`));
    await load().catch(() => {});
  }

  return (
    <section class="section">
      <h2>Devices</h2>
      {!sessions && <p class="sheet__note">Loading…</p>}
      <ul class="devices" aria-label="Devices">
        {sessions?.map((one) => (
          <li key={one.session_id} class="device">
            <Icon name="screen" />
            <span class="device__text">
              <span>{one.device_info?.platform ?? one.device_info?.device_type ?? 'Unknown device'}</span>{' '}
              <span class="sheet__note">{one.current ? 'This device' : `Last used ${briefly(one.last_used_at)}`}</span>
            </span>
            {!one.current && (
              <button type="button" class="button button--small" onClick={() => end(one)}>
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
