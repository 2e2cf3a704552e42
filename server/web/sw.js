/**
 * The service worker: the page opens without a connection, and pushes are shown while it is closed. `%FILES%` and
 * `%VERSION%` are filled in by the build.
 */
const CACHE = 'letsapp-%VERSION%';
const SHELL = ['/', ...JSON.parse('%FILES%')];

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(SHELL))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== 'GET' || origin !== location.origin) return;
  // Files with a hash in their name never change; the page itself is asked for anew where there is a connection.
  if (SHELL.includes(pathname) && pathname !== '/') {
    event.respondWith(caches.match(pathname).then((kept) => kept ?? fetch(event.request)));
  } else if (pathname === '/' || pathname.startsWith('/join/')) {
    event.respondWith(fetch(event.request).catch(() => caches.match('/')));
  }
});

/** What is shown of a push (PROTOCOL section 15); a later one of the same conversation replaces it. */
function notificationOf(push) {
  const name = ({ full_name, username }) => full_name || username;
  switch (push.type) {
    case 'message':
      return {
        title: push.group_name ?? name(push.sender),
        body: push.preview ?? (push.unread_count > 1 ? `${push.unread_count} new messages` : 'New message'),
        tag: push.conversation_id,
        data: {
          conversation_id: push.conversation_id,
          sender_id: push.sender.user_id,
          thread_id: push.thread_id,
        },
      };
    case 'call':
      return {
        title: push.group_name ?? name(push.from),
        body: push.call_type === 'video' ? 'Incoming video call' : 'Incoming call',
        tag: push.call_id,
        requireInteraction: true,
        data: {},
      };
    case 'contact_request':
      return {
        title: name(push.from),
        body: 'Wants to be your contact',
        tag: 'contact_request',
        data: { page: '#/contacts' },
      };
    default:
      return undefined;
  }
}

self.addEventListener('push', (event) => {
  const push = event.data?.json() ?? {};
  event.waitUntil(show(push));
});

async function show(push) {
  const tag = push.type === 'read' ? push.conversation_id : push.type === 'call_over' ? push.call_id : undefined;
  if (tag !== undefined) {
    for (const shown of await self.registration.getNotifications({ tag })) shown.close();
  }
  if (push.badge !== undefined)
    await (push.badge > 0 ? navigator.setAppBadge?.(push.badge) : navigator.clearAppBadge?.());
  const notification = notificationOf(push);
  if (!notification) return;
  const { title, ...options } = notification;
  const windows = await self.clients.matchAll({ type: 'window' });
  if (push.type === 'message' && windows.some((one) => one.focused)) return;
  await self.registration.showNotification(title, {
    icon: '/icon-192.png',
    badge: '/icon-192.png',
    renotify: true,
    ...options,
  });
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { page, conversation_id = '', sender_id, thread_id } = event.notification.data ?? {};
  // The id of a pair's conversation holds both users'.
  const place =
    conversation_id === '' ? '' : conversation_id.includes('-') ? `#/user/${sender_id}` : `#/group/${conversation_id}`;
  event.waitUntil(open(`/${page ?? place}${thread_id ? `/thread/${thread_id}` : ''}`));
});

async function open(address) {
  const [shown] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (!shown) return self.clients.openWindow(address);
  await shown.focus();
  return shown.navigate(address);
}
