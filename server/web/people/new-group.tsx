/** Making a group: its name, and who is in it. */
import type { PublicUser } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useState } from 'preact/hooks';
import { Field } from '../parts/field.tsx';
import { Icon } from '../parts/icon.tsx';
import { attempt } from '../parts/notices.tsx';
import { Sheet } from '../parts/sheet.tsx';
import { go, linkTo } from '../route.ts';
import { Finder } from './finder.tsx';
import { nameOf } from './names.ts';
import { Person } from './person.tsx';

export function NewGroup() {
  const client = useClient();
  const [name, setName] = useState('');
  const [members, setMembers] = useState<PublicUser[]>([]);
  const [isBusy, setBusy] = useState(false);
  const isIn = (person: PublicUser) => members.some(({ _id }) => _id === person._id);
  const toggle = (person: PublicUser) =>
    setMembers(isIn(person) ? members.filter(({ _id }) => _id !== person._id) : [...members, person]);

  async function create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    const member_ids = members.map(({ _id }) => _id);
    const made = await attempt(() => client.call('group:create', { name: name.trim(), member_ids }));
    setBusy(false);
    if (made) go(linkTo({ group_id: made.group._id }));
  }

  return (
    <Sheet title="New group">
      <form class="new-group" onSubmit={create}>
        <Field
          label="Group name"
          maxLength={100}
          autoCapitalize="sentences"
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
        {members.length > 0 && (
          <ul class="chips" aria-label="Members">
            {members.map((person) => (
              <li key={person._id}>
                <button
                  type="button"
                  class="chip"
                  onClick={() => toggle(person)}
                  aria-label={`Leave ${nameOf(person)} out`}
                >
                  {nameOf(person)}
                  <Icon name="close" size={16} />
                </button>
              </li>
            ))}
          </ul>
        )}
        <Finder>
          {(person) => (
            <label class="person">
              <Person person={person} />
              <input
                type="checkbox"
                aria-label={nameOf(person)}
                checked={isIn(person)}
                onChange={() => toggle(person)}
              />
            </label>
          )}
        </Finder>
        <button class="button button--main" type="submit" disabled={isBusy || name.trim() === ''}>
          Create
        </button>
      </form>
    </Sheet>
  );
}
