import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, registerMany } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { upload } from './client.ts';
import { gifOfClaimedSize, picture } from './samples.ts';

let server: TestServer;
let ann: Account;
let bob: Account;
beforeAll(async () => {
  server = await startServer();
  [ann, bob] = (await registerMany(server.url, 2)) as [Account, Account];
});
afterAll(() => server.stop());

it('small pictures, and photos, of others pass those of one user that take long', async () => {
  // Five frames of two megapixels: each takes a second and more.
  const costly = await gifOfClaimedSize(5, 1400, 1400);
  const [icon, photo] = await Promise.all([picture(64, 64).png().toBuffer(), picture(2500, 2500).jpeg().toBuffer()]);
  const order: string[] = [];
  const sent = async (name: string, user: Account, content: Buffer) => {
    const { status } = await upload(server.url, user, '/media', content);
    order.push(`${name} ${status}`);
  };
  const costlyOnes = Array.from({ length: 3 }, (_, i) => sent(`costly ${i}`, ann, costly));
  await Promise.race([...costlyOnes, new Promise((resolve) => setTimeout(resolve, 300))]);
  await Promise.all([sent('icon', bob, icon), sent('photo', bob, photo)]);
  // Two of ann's at least are still to come.
  expect(order.filter((name) => name.startsWith('costly')).length).toBeLessThanOrEqual(1);
  expect(order).toEqual(expect.arrayContaining(['icon 201', 'photo 201']));
  await Promise.all(costlyOnes);
  expect(order.filter((name) => name.endsWith('201'))).toHaveLength(5);
});
