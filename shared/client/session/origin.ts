/**
 * @param url of a server, e.g. `https://chat.example.org`
 * @returns it without a trailing slash
 * @throws TypeError where it is no such address, or has a path
 */
export function originOf(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new TypeError(`url must be that of a server, like https://chat.example.org, and is ${JSON.stringify(url)}`);
  }
  const { protocol, pathname, search, hash, origin } = parsed;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new TypeError(`url must begin with http:// or https://, and is ${JSON.stringify(url)}`);
  }
  if (pathname !== '/' || search || hash) {
    throw new TypeError(`url must not have a path, a query or a fragment: ${JSON.stringify(url)} should be ${origin}`);
  }
  return origin;
}
