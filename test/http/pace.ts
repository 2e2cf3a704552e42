/** The pace of this machine, so that limits of the contract can be checked on a busy one too. */

/** How long a few requests take that cost the server next to nothing, in milliseconds. */
export async function paceOf(url: string): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: 10 }, () => fetch(`${url}/healthz`)));
  return performance.now() - startedAt;
}
