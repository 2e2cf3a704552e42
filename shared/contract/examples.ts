/** What the examples of commands, events and routes are made of: Ann and Bob, their group and what they send. */
import type { SignedIn, Tokens } from './accounts.ts';
import type {
  Call,
  Contact,
  Conversation,
  File,
  Group,
  GroupMessage,
  IceServer,
  Invite,
  Media,
  PairMessage,
  Presence,
  PublicUser,
  Self,
  ServerUser,
} from './documents.ts';

export const ANN = '6650a1f0c2a4b8d9e0f10001';
export const BOB = '6650a1f0c2a4b8d9e0f10002';
export const GROUP = '6650a1f0c2a4b8d9e0f10003';
export const MESSAGE = '6650a1f0c2a4b8d9e0f10004';
export const CALL = '6650a1f0c2a4b8d9e0f10005';
export const MEDIA = '6650a1f0c2a4b8d9e0f10006';
export const SESSION = '6650a1f0c2a4b8d9e0f10007';
export const CONVERSATION = 'p1kq8sXfT2mB7wYc';

const SIGNED_UP = '2026-05-24T08:00:00.000Z';
export const SENT = '2026-05-24T18:30:00.000Z';
export const LATER = '2026-05-24T18:30:12.480Z';

export const ann: PublicUser = {
  _id: ANN,
  username: 'ann',
  full_name: 'Ann Miller',
  profile_picture: null,
  bio: 'Mostly on the water.',
  is_active: true,
  created_at: SIGNED_UP,
};

export const bob: PublicUser = { ...ann, _id: BOB, username: 'bob', full_name: 'Bob Stone', bio: '' };

export const self: Self = {
  ...ann,
  email: 'ann@example.com',
  updated_at: SIGNED_UP,
  last_seen: SENT,
  settings: { notifications_enabled: true, read_receipts_enabled: true, typing_indicators_enabled: true },
};

/** Ann as the operator's own back end sees her. */
export const serverUser: ServerUser = { ...self, external_id: 'crm-4711', is_bot: false, metadata: { plan: 'gold' } };

export const tokens: Tokens = {
  access_token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI2NjUwYTFmMCJ9.c2lnbmF0dXJl',
  refresh_token: 'q3ZbXo2m0V1kq8sXfT2mB7wYcR5uJ9aL',
  expires_in: 900,
  session_id: SESSION,
};

export const signedIn: SignedIn = { user: self, ...tokens };

export const message: PairMessage = {
  _id: MESSAGE,
  conversation_id: CONVERSATION,
  seq: 12,
  rev: 15,
  sender_id: ANN,
  recipient_id: BOB,
  content: 'The boat leaves at eight.',
  message_type: 'text',
  attachment: null,
  created_at: SENT,
  updated_at: SENT,
  is_deleted: false,
  client_message_id: 'phone-0001',
  status: 'sent',
};

/** The same a moment later: Ann has corrected it, Bob has read it and liked it. */
export const changedMessage: PairMessage = {
  ...message,
  rev: 17,
  content: 'The boat leaves at nine.',
  updated_at: LATER,
  edited_at: LATER,
  reactions: [{ emoji: '👍', user_ids: [BOB] }],
  status: 'read',
};

/** Bob's reply in the thread of Ann's message. */
export const reply: PairMessage = {
  ...message,
  _id: '6650a1f0c2a4b8d9e0f1000a',
  seq: 13,
  rev: 18,
  sender_id: BOB,
  recipient_id: ANN,
  content: 'From which pier?',
  created_at: LATER,
  updated_at: LATER,
  client_message_id: 'phone-0007',
  thread_id: MESSAGE,
};

export const deletedMessage: PairMessage = {
  ...message,
  rev: 18,
  content: '',
  updated_at: LATER,
  is_deleted: true,
};

export const group: Group = {
  _id: GROUP,
  name: 'Saturday crew',
  description: 'Who sails on Saturday?',
  icon: null,
  creator_id: ANN,
  members: [ANN, BOB],
  admins: [ANN],
  permissions: {
    send: 'member',
    add_members: 'admin',
    edit_info: 'admin',
    pin: 'admin',
    mention_everyone: 'member',
    react: 'member',
  },
  slow_mode_s: 0,
  created_at: SIGNED_UP,
  updated_at: SENT,
  is_active: true,
};

export const invite: Invite = {
  invite_id: '6650a1f0c2a4b8d9e0f10009',
  code: 'q3Zr8Yk1vTt0sLw5xGh2bNcE',
  url: 'https://chat.example.com/join/q3Zr8Yk1vTt0sLw5xGh2bNcE',
  created_by: ANN,
  created_at: SENT,
  max_uses: 5,
  uses: 0,
  approval: false,
};

const { recipient_id: _recipient, status: _status, ...common } = message;
export const groupMessage: GroupMessage = {
  ...common,
  conversation_id: GROUP,
  group_id: GROUP,
  seq: 3,
  rev: 3,
  read_by: [BOB],
};

export const conversation: Conversation = {
  conversation_id: CONVERSATION,
  kind: 'direct',
  peer: bob,
  last_message: message,
  last_seq: 12,
  rev: 15,
  unread_count: 0,
  mention_count: 0,
  receipts: [
    { user_id: ANN, delivered_seq: 12, read_seq: 12 },
    { user_id: BOB, delivered_seq: 12, read_seq: 11 },
  ],
  updated_at: SENT,
};

export const contact: Contact = {
  _id: '6650a1f0c2a4b8d9e0f10008',
  user_id: ANN,
  contact_id: BOB,
  status: 'accepted',
  created_at: SIGNED_UP,
  updated_at: SENT,
  notes: 'From the harbour.',
  is_favorite: true,
  user: bob,
};

export const presence: Presence = {
  _id: '6650a1f0c2a4b8d9e0f10009',
  user_id: BOB,
  status: 'away',
  last_active: SENT,
  custom_status: 'Back at noon',
};

export const call: Call = {
  _id: CALL,
  caller_id: ANN,
  recipient_id: BOB,
  call_type: 'video',
  started_at: SENT,
  status: 'initiated',
  duration: 0,
  participants: [{ user_id: ANN, joined_at: SENT }],
  metadata: {},
};

export const ongoingCall: Call = {
  ...call,
  status: 'ongoing',
  participants: [...call.participants, { user_id: BOB, joined_at: LATER }],
};

export const iceServers: IceServer[] = [
  { urls: 'stun:stun.example.com' },
  { urls: ['turn:turn.example.com'], username: `1748115000:${ANN}`, credential: 'c2lnbmVkIGJ5IFRVUk4=' },
];

export const signal = { type: 'offer', sdp: 'v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n' };

const upload = {
  _id: MEDIA,
  file_size: 48_213,
  uploader_id: ANN,
  created_at: SENT,
  is_deleted: false,
};

export const media: Media = {
  ...upload,
  filename: '7c1f9e0b6a5d4c3b.jpg',
  original_filename: 'harbour.jpg',
  mime_type: 'image/jpeg',
  media_type: 'image',
  thumbnail: '7c1f9e0b6a5d4c3b-thumbnail.webp',
  width: 1600,
  height: 1200,
  view_count: 0,
  optimized: true,
};

export const file: File = {
  ...upload,
  filename: '0d2a4c6e8f1b3d5f.pdf',
  original_filename: 'timetable.pdf',
  mime_type: 'application/pdf',
  download_count: 0,
};
