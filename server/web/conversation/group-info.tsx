/** What a group is called, looks like and is about; who may change it does so here. */
import type { Group } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useState } from 'preact/hooks';
import { Avatar } from '../parts/avatar.tsx';
import { ChangePicture } from '../parts/change-picture.tsx';
import { Field, LongField } from '../parts/field.tsx';
import { attempt } from '../parts/notices.tsx';

export function GroupInfo({ group, mayEdit }: { group: Group; mayEdit: boolean }) {
  const client = useClient();
  const setIcon = (icon: string | null) => client.call('group:update', { group_id: group._id, icon });
  return (
    <section class="group-info">
      <div class="profile">
        <Avatar name={group.name} picture={group.icon} size={72} />
        <div>
          <p class="profile__name">{group.name}</p>
          {mayEdit && (
            <div class="group-info__picture">
              <ChangePicture onUploaded={setIcon} />
              {group.icon && (
                <button type="button" class="link" onClick={() => attempt(() => setIcon(null))}>
                  Remove picture
                </button>
              )}
            </div>
          )}
        </div>
      </div>
      {mayEdit ? (
        <Texts group={group} />
      ) : (
        group.description && (
          <p class="group-info__description" dir="auto">
            {group.description}
          </p>
        )
      )}
    </section>
  );
}

function Texts({ group }: { group: Group }) {
  const client = useClient();
  const [name, setName] = useState(group.name);
  const [description, setDescription] = useState(group.description ?? '');
  const [isSaved, setSaved] = useState(false);

  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    // What was not touched is left as it is: somebody else may be changing it.
    const change = {
      ...(name.trim() === group.name ? {} : { name: name.trim() }),
      ...(description.trim() === (group.description ?? '') ? {} : { description: description.trim() || null }),
    };
    const isDone = await attempt(async () => {
      if (Object.keys(change).length > 0) await client.call('group:update', { group_id: group._id, ...change });
      return true;
    });
    setSaved(isDone === true);
  }

  return (
    <form class="profile__form" onSubmit={save} onInput={() => setSaved(false)}>
      <Field
        label="Group name"
        maxLength={100}
        autoCapitalize="sentences"
        value={name}
        onInput={({ currentTarget }) => setName(currentTarget.value)}
      />
      <LongField
        label="Description"
        rows={3}
        maxLength={1000}
        value={description}
        onInput={({ currentTarget }) => setDescription(currentTarget.value)}
      />
      <div>
        <button type="submit" class="button" disabled={name.trim() === ''}>
          Save
        </button>{' '}
        <span role="status">{isSaved && 'Saved'}</span>
      </div>
    </form>
  );
}
