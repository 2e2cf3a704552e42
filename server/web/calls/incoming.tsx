import type { Call, PublicUser } from 'letsapp-client';
import { Avatar } from '../parts/avatar.tsx';
import { Icon } from '../parts/icon.tsx';
import { nameOf } from '../people/names.ts';

/** A call that rings. */
export function Incoming({
  call,
  from,
  onAccept,
  onDecline,
}: {
  call: Call;
  from: PublicUser;
  onAccept(): void;
  onDecline(): void;
}) {
  const name = nameOf(from);
  const kind = call.call_type === 'video' ? 'video call' : 'voice call';
  return (
    <div class="incoming" role="alertdialog" aria-label={`Incoming ${kind} from ${name}`}>
      <Avatar name={name} picture={from.profile_picture} size={72} />
      <p class="incoming__name">{name}</p>
      <p>Incoming {call.group_id ? `group ${kind}` : kind}</p>
      <div class="incoming__buttons">
        <button type="button" class="button button--danger" onClick={onDecline}>
          <Icon name="hangUp" /> Decline
        </button>
        <button type="button" class="button button--main" onClick={onAccept}>
          <Icon name={call.call_type === 'video' ? 'video' : 'phone'} /> Accept
        </button>
      </div>
    </div>
  );
}
