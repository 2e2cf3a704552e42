/** Two levels up from the source, and from dist/server/, where the bundles lie (build.mjs). */
const ROOT = new URL('../../', import.meta.url);

/**
 * Locates a file that is read where it lies in the source, from source as well as compiled.
 * @param path from the project's root, as in `shared/letsapp.schema.json`
 */
export function projectFile(path: string): URL {
  return new URL(path, ROOT);
}
