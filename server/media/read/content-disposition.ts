/**
 * A `Content-Disposition` header (RFC 6266). Where ASCII cannot hold the name, it is repeated in the encoding of
 * RFC 8187; also where it contains something like `%41`, which some browsers would decode.
 * @param name a cleaned file name
 */
export function contentDisposition(type: 'inline' | 'attachment', name: string): string {
  const plain = `${type}; filename="${name.replaceAll(/[^ -~]/gu, '?').replaceAll(/["\\]/g, '\\$&')}"`;
  if (/^[ -~]*$/.test(name) && !/%[\da-f]{2}/i.test(name)) return plain;
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${plain}; filename*=UTF-8''${encoded}`;
}
