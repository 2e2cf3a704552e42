/** Signed out, or signed in: which of the two is shown, and when it changes. */
import type { Client } from 'letsapp-client';
import { LetsAppProvider } from 'letsapp-client/react';
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { account, openClient } from './account.ts';
import { SignIn } from './sign-in.tsx';
import { Workspace } from './workspace.tsx';

/** Written for React, and built with Preact in its place. */
const Provider = LetsAppProvider as unknown as FunctionComponent<{ client: Client }>;

export function App() {
  /** Undefined while the browser's database is read; null where nobody is signed in. */
  const [client, setClient] = useState<Client | null>();

  useEffect(() => {
    void account.ready().then((user) => setClient(user ? openClient() : null));
  }, []);

  useEffect(() => {
    if (!client) return undefined;
    // The session is over: it was ended on another device, or the account was.
    return client.on('error', () => leave(client));
  }, [client]);

  async function leave(one: Client): Promise<void> {
    await one.close();
    await account.logout();
    location.hash = '';
    setClient(null);
  }

  if (client === undefined)
    return (
      <p class="splash" role="status">
        Opening…
      </p>
    );
  if (client === null) return <SignIn onSignedIn={() => setClient(openClient())} />;
  return (
    <Provider client={client}>
      <Workspace onLogOut={() => leave(client)} />
    </Provider>
  );
}
