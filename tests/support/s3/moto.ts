import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, openSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-port.ts';

/** moto 5.1, unpacked by the test command; its dependencies are the Debian release's own. */
const overlay = fileURLToPath(new URL('../../../.cache/moto/usr', import.meta.url));
const program = join(overlay, 'bin', 'moto_server');

/** Why tests on moto cannot run here; empty when they can. */
export const motoMissing = existsSync(program) ? '' : 'no moto: run npm test as root on Debian once';

export interface Moto {
  /** `http://127.0.0.1:port`; any keys are good, the bucket goes into the path. */
  readonly endpoint: string;
  readonly port: number;
  stop(): void;
}

/**
 * A second S3 server that is not ours, of this process's own: it keeps all in memory and checks less than Swift, but returns checksums and
 * knows If-None-Match. It dies with us.
 */
export async function startMoto(): Promise<Moto> {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-moto-'));
  const log = join(root, 'log');
  const port = await freePort();
  const out = openSync(log, 'a');
  const command = ['/usr/bin/python3', program, '-H', '127.0.0.1', '-p', String(port)];
  // setpriv: the server goes when this process does, however it ends.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
    stdio: ['ignore', out, out],
    env: { ...process.env, HOME: root, PYTHONPATH: join(overlay, 'lib', 'python3', 'dist-packages') },
  });
  closeSync(out);
  const stop = (): void => {
    child.kill('SIGKILL');
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 300; tries++) {
    if (await answers(endpoint)) return { endpoint, port, stop };
    await pause(100);
  }
  const told = readFileSync(log, 'utf8');
  stop();
  throw new Error(`moto did not start:\n${told.slice(-4000)}`);
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
