/** Groups on the server. */
import { connectDevice } from './devices.ts';
import type { LetsApp } from './sides.ts';

/** User 0 makes a group of the users below this number. @returns its id */
export async function createGroup(app: LetsApp, members: number): Promise<string> {
  const creator = await connectDevice(app, 0);
  const member_ids = app.accounts.slice(1, members).map(({ id }) => id);
  const { ok, data, error } = await creator.emitWithAck('group:create', { name: 'bench', member_ids });
  creator.disconnect();
  if (!ok) throw new Error(`no group: ${JSON.stringify(error)}`);
  return data.group._id;
}
