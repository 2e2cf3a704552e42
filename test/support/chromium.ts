/** A headless Chromium for tests, driven by playwright-core; `setup.ts` installs it where it is missing. */
import { type Browser, chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  // Camera and microphone: a moving picture and a beep, allowed without asking.
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  // Peers on one machine without a network reach each other.
  '--allow-loopback-in-peer-connection',
];

/** Starts a browser; the caller closes it. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
}
