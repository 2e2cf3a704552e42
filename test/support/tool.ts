/** The tools of an operator, run as `letsapp NAME` runs them. */
import { spawn } from 'node:child_process';
import path from 'node:path';

const PROGRAM = path.resolve(import.meta.dirname, '../../dist/server/tools.js');

export interface ToolRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Resolves when the tool has ended. */
export function runTool(args: string[], env: Record<string, string>): Promise<ToolRun> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, ...env } });
  const run = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    run.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    run.stderr += chunk;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...run })));
}
