// Chromium as the system has it, driven by playwright-core, which brings no browser along.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(`${process.env.PEERS_NPM ?? process.cwd()}/`);
const { chromium } = require('playwright-core');

// Launches it without a window; it ends with this process.
export function launch() {
  const places = process.env.PATH.split(path.delimiter).map(place => path.join(place, 'chromium'));
  const executablePath = places.find(existsSync);
  if (!executablePath) throw new Error('chromium is not on the PATH: install it (Debian: chromium)');
  // Chromium's own sandbox refuses to work for root, as whom containers run things.
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid() !== 0 });
}
