/** `; name=token` or `; name="quoted"`, leniently: quotes may stay open, tokens may contain spaces. */
const PARAMETER = /;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))[^;]*/gs;

/**
 * The parameters of a header such as `Content-Disposition` (RFC 9110, section 5.6.6), as clients write them: only
 * quotes and backslashes count as escaped, so that a Windows path stays one.
 * @returns by lower-case names; of two with the same name the first
 */
export function parametersOf(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name, quoted, token] of header.matchAll(PARAMETER)) {
    const key = name!.toLowerCase();
    const value = quoted?.replaceAll(/\\(["\\])/g, '$1') ?? token!.trim();
    if (!parameters.has(key)) parameters.set(key, value);
  }
  return parameters;
}
