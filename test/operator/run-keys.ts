import { runTool, type ToolRun } from '../support/tool.ts';

/** `npm run keys -- …words`, with these settings. */
export function runKeys(env: Record<string, string>, ...words: string[]): Promise<ToolRun> {
  return runTool(['keys', ...words], env);
}

/** Makes a key. @returns it, and its id */
export async function createKey(env: Record<string, string>, name = 'backend'): Promise<{ key: string; id: string }> {
  const { stdout, stderr } = await runKeys(env, 'create', name);
  const key = stdout.trim();
  const id = /^lsk_([0-9a-f]{16})_[\w-]{43}$/.exec(key)?.[1];
  if (id === undefined) throw new Error(`no key: ${stdout} ${stderr}`);
  return { key, id };
}
