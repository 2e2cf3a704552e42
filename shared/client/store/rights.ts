/** What the user may do in a conversation. */
import type { Group, Message } from '../contract.ts';
import type { Kept } from './state.ts';

/** By the name of what is done; a pair allows all that there is in a pair. */
export interface Rights {
  send: boolean;
  react: boolean;
  pin: boolean;
  mention_everyone: boolean;
  add_members: boolean;
  edit_info: boolean;
  /** Whether the user may set permissions and slow mode, and who is an admin. */
  is_admin: boolean;
  /** In slow mode: when the next message may be sent, ISO 8601. It may be over. */
  next_send_at?: string;
}

const PAIR: Rights = {
  send: true,
  react: true,
  pin: true,
  mention_everyone: false,
  add_members: false,
  edit_info: false,
  is_admin: false,
};

/**
 * @param kept what is known of the conversation
 * @param me the user's id
 */
export function rightsOf(kept: Kept | undefined, me: string | undefined): Rights {
  const group = kept?.conversation?.group;
  if (!group || me === undefined) return PAIR;
  const is_admin = group.admins.includes(me);
  const may = (action: keyof Group['permissions']) => is_admin || group.permissions[action] === 'member';
  const last = kept.messages.findLast(({ sender_id }) => sender_id === me);
  return {
    send: may('send'),
    react: may('react'),
    pin: may('pin'),
    mention_everyone: may('mention_everyone'),
    add_members: may('add_members'),
    edit_info: may('edit_info'),
    is_admin,
    ...(is_admin || group.slow_mode_s === 0 || !last ? {} : { next_send_at: after(last, group.slow_mode_s) }),
  };
}

const after = ({ created_at }: Message, seconds: number): string =>
  new Date(Date.parse(created_at) + seconds * 1000).toISOString();
