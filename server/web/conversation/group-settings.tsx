/** What members may do in a group, and how often they may write; admins set it. */
import type { Group } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useId } from 'preact/hooks';
import { attempt } from '../parts/notices.tsx';
import { Switch } from '../parts/switch.tsx';

const ACTIONS: [keyof Group['permissions'], string][] = [
  ['send', 'Write messages'],
  ['react', 'React'],
  ['mention_everyone', 'Mention everyone'],
  ['pin', 'Pin messages'],
  ['add_members', 'Add people'],
  ['edit_info', 'Change name and picture'],
];
const PAUSES: [seconds: number, label: string][] = [
  [0, 'Off'],
  [10, '10 seconds'],
  [30, '30 seconds'],
  [60, 'A minute'],
  [300, '5 minutes'],
  [900, '15 minutes'],
  [3600, 'An hour'],
];

export function GroupSettings({ group }: { group: Group }) {
  const client = useClient();
  const id = useId();
  const update = (change: Partial<Pick<Group, 'slow_mode_s'>> & { permissions?: Partial<Group['permissions']> }) =>
    attempt(() => client.call('group:update', { group_id: group._id, ...change }));
  const isListed = PAUSES.some(([seconds]) => seconds === group.slow_mode_s);
  const pauses = isListed ? PAUSES : [...PAUSES, [group.slow_mode_s, `${group.slow_mode_s} seconds`] as const];
  return (
    <details class="group-settings">
      <summary>What members may do</summary>
      {ACTIONS.map(([action, label]) => (
        <Switch
          key={action}
          label={label}
          isOn={group.permissions[action] === 'member'}
          onChange={(isOn) => update({ permissions: { [action]: isOn ? 'member' : 'admin' } })}
        />
      ))}
      <div class="switch">
        <div class="switch__text">
          <label for={id}>Slow mode</label>
          <p>So long members wait between messages.</p>
        </div>
        <select
          id={id}
          value={group.slow_mode_s}
          onChange={({ currentTarget }) => update({ slow_mode_s: Number(currentTarget.value) })}
        >
          {pauses.map(([seconds, label]) => (
            <option key={seconds} value={seconds}>
              {label}
            </option>
          ))}
        </select>
      </div>
    </details>
  );
}
