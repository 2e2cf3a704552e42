/** Compiled, this module lies one level deeper, in dist/, to which nothing but code is copied. */
const ROOT = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url);

/**
 * Locates a file that is read where it lies in the source, from source as well as compiled.
 * @param path from the project's root, as in `shared/letsapp.schema.json`
 */
export function projectFile(path: string): URL {
  return new URL(path, ROOT);
}
