/** Tools that operators run beside the server, or without it, with its environment variables: `letsapp doctor` etc. */
import { type Config, readConfig } from './config.ts';

/**
 * A tool.
 * @param args what follows its name on the command line
 * @returns the exit code
 * @throws Error with a one-line message
 */
export type Tool = (args: string[], config: Config) => Promise<number>;

const TOOLS: Record<string, () => Promise<{ run: Tool }>> = {
  doctor: () => import('./doctor/command.ts'),
  keys: () => import('./keys.ts'),
  backup: () => import('./backup/backup-command.ts'),
  move: () => import('./move/command.ts'),
  export: () => import('./export/command.ts'),
  restore: () => import('./backup/restore-command.ts'),
};

async function main([name, ...args]: string[]): Promise<number> {
  const tool = name !== undefined && Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
  if (!tool) {
    process.stderr.write(`letsapp: say what to do: ${Object.keys(TOOLS).join(', ')}\n`);
    return 2;
  }
  const { run } = await tool();
  return run(args, readConfig(process.env));
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`letsapp: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
