import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupFault } from './fault.mjs';
import { root } from './places.mjs';

const pollMs = 500;
const patienceMs = 20 * 60_000;

/**
 * Runs `work` while no other set-up of this checkout runs; a second one waits for the first.
 * The lock is a socket name that the kernel frees when its process ends, however it ends: there is no stale lock file to judge.
 * @param {() => void} work
 */
export async function withLock(work, name = `holdfast-setup-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`) {
  const address = addressOf(name);
  if (address === null) {
    work();
    return;
  }
  const deadline = Date.now() + patienceMs;
  let server = await take(address);
  if (server === null) process.stdout.write('Set-up: another one is at work in this folder; waiting for it.\n');
  while (server === null) {
    if (Date.now() > deadline) throw new SetupFault('another set-up in this folder has not finished for 20 minutes. End it and try again.');
    await sleep(pollMs);
    server = await take(address);
  }
  try {
    work();
  } finally {
    server.close();
  }
}

/** A name outside the file system, where the system has such a thing. @param {string} name @returns {string | null} */
function addressOf(name) {
  if (process.platform === 'linux') return `\0${name}`;
  if (process.platform === 'win32') return `\\\\?\\pipe\\${name}`;
  return null;
}

/** @param {string} address @returns {Promise<import('node:net').Server | null>} null: somebody else has it */
function take(address) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(address, () => resolve(server));
  });
}
