/**
 * Whether a client takes a content encoding (RFC 9110, section 12.5.3): named, and not with a weight of zero.
 * @param header its `Accept-Encoding`
 */
export function acceptsEncoding(header: string | string[] | undefined, encoding: string): boolean {
  const named = String(header ?? '')
    .split(',')
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    );
  return named.some(([name, weight = 'q=1']) => name === encoding && Number(weight.slice(2)) > 0);
}
