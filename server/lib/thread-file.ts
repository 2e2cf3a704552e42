/**
 * Locates a module of the server to run as a worker thread, from source as well as compiled (it is an entry of build.mjs).
 * @param name the thread's module from `server/`, without an extension
 * @returns options for a thread pool or a `Worker`
 */
export function threadFile(name: string): { filename: string; execArgv?: string[] } {
  if (!import.meta.url.endsWith('.ts')) return { filename: new URL(`${name}.js`, import.meta.url).href };
  // From source, the thread must register the TypeScript loader itself: Node 20 does not pass `--import tsx` on.
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const register = encodeURIComponent(`import { register } from ${loader}; register();`);
  return {
    filename: new URL(`../${name}.ts`, import.meta.url).href,
    execArgv: ['--import', `data:text/javascript,${register}`],
  };
}
