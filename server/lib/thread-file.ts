/**
 * Locates a module of this project to run as a worker thread, from source as well as compiled.
 * @param from `import.meta.url` of the module that starts the thread
 * @param name the thread's module relative to it, without an extension
 * @returns options for a thread pool or a `Worker`
 */
export function threadFile(from: string, name: string): { filename: string; execArgv?: string[] } {
  if (!from.endsWith('.ts')) return { filename: new URL(`${name}.js`, from).href };
  // From source, the thread must register the TypeScript loader itself: Node 20 does not pass `--import tsx` on.
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const register = encodeURIComponent(`import { register } from ${loader}; register();`);
  return {
    filename: new URL(`${name}.ts`, from).href,
    execArgv: ['--import', `data:text/javascript,${register}`],
  };
}
