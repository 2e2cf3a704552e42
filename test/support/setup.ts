/**
 * What the tests need beside npm packages: on Debian as root it is installed, elsewhere one line says what is missing.
 * And the compiled server.
 * Runs once before all tests (`globalSetup` of Vitest).
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beginRun, endRun } from './outer-database.ts';

/** Debian's package by the program that it brings. */
const PROGRAMS: Record<string, string> = {
  'redis-server': 'redis-server',
  chromium: 'chromium',
  ffmpeg: 'ffmpeg',
  turnserver: 'coturn',
  // With promtool.
  prometheus: 'prometheus',
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  caddy: 'caddy',
};

/** Packages of servers start them, unless this program forbids it (Debian Policy, section 9.3.3.2). */
const NO_SERVICES = `
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\\nexit 101\\n' > $policy
    chmod 755 $policy
  fi
`;

export default function setup(): () => Promise<void> {
  installMissing();
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 2, 2] });
  execFileSync('node', [path.join(import.meta.dirname, 'host/build.mjs')], { stdio: ['ignore', 2, 2] });
  beginRun();
  return endRun;
}

function installMissing(): void {
  if (missing().length === 0) return;
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    throw new Error(`the tests need ${missing().join(', ')}: install them and put them on the PATH`);
  }
  install(missing().map((program) => PROGRAMS[program]!));
  if (missing().length > 0) throw new Error(`${missing().join(', ')} could not be installed`);
}

function missing(): string[] {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/bin'];
  return Object.keys(PROGRAMS).filter((program) => !folders.some((folder) => isProgram(path.join(folder, program))));
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function install(packages: string[]): void {
  const wait = 'DPkg::Lock::Timeout=600';
  const get = `apt-get -q -o ${wait} -o Acquire::Retries=3`;
  // One installation at a time: runs of the tests beside each other wait here, and find nothing left to do.
  execFileSync(
    'flock',
    [
      path.join(tmpdir(), 'letsapp-test-setup.lock'),
      'sh',
      '-ec',
      `${NO_SERVICES} ${get} update && ${get} install -y --no-install-recommends ${packages.join(' ')}`,
    ],
    { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
  );
}
