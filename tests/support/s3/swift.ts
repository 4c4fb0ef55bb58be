import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { swiftConfig, type SwiftPorts } from './swift-config.ts';

/** Swift 2.35, unpacked by the test command over the dependencies of the Debian release's own. */
const overlay = fileURLToPath(new URL('../../../.cache/swift', import.meta.url));
const binaries = join(overlay, 'usr', 'bin');
const python = '/usr/bin/python3';

export const swiftKeys = { accessKeyId: 'test:tester', secretAccessKey: 'testing' };
/** Of another account, which has buckets of its own. */
export const otherSwiftKeys = { accessKeyId: 'other:owner', secretAccessKey: 'owning' };

/** Why the tests on a real S3 server cannot run here; empty when they can. */
export const swiftMissing = whySwiftIsMissing();

/** The name of a group of tests, with the reason where it has to be left out. */
export function onSwift(name: string): string {
  return swiftMissing === '' ? name : `${name} (left out: ${swiftMissing})`;
}

function whySwiftIsMissing(): string {
  if (!existsSync(join(binaries, 'swift-proxy-server'))) return 'no OpenStack Swift: run npm test as root on Debian once';
  for (const program of ['memcached', 'swift-ring-builder', 'setpriv']) {
    if (spawnSync(program, ['--help'], { stdio: 'ignore' }).error !== undefined) return `${program} is not installed`;
  }
  return '';
}

export interface Swift {
  /** `http://127.0.0.1:port`; keys are swiftKeys, the region is us-east-1, the bucket goes into the path. */
  readonly endpoint: string;
  readonly port: number;
  /** What the servers have written to their logs. */
  log(): string;
  stop(): void;
}

/** A strict S3 server (OpenStack Swift with s3api) of this process's own: temporary folder, loopback, free ports. It dies with us. */
export async function startSwift(): Promise<Swift> {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-swift-'));
  const folders = { etc: join(root, 'etc'), devices: join(root, 'srv'), logs: join(root, 'log') };
  for (const folder of [folders.etc, join(folders.devices, 'd1'), folders.logs]) mkdirSync(folder, { recursive: true });
  const ports = await freePorts();
  for (const [name, text] of Object.entries(swiftConfig(folders, ports))) writeFileSync(join(folders.etc, name), text);
  for (const ring of ['account', 'container', 'object'] as const) makeRing(folders.etc, ring, ports[ring]);

  const children: ChildProcess[] = [];
  const asRoot = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const start = (name: string, command: readonly string[]): void => {
    const out = openSync(join(folders.logs, `${name}.log`), 'a');
    // setpriv: the server goes when this process does, however it ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
      stdio: ['ignore', out, out],
      env: { ...process.env, PYTHONPATH: join(overlay, 'usr', 'lib', 'python3', 'dist-packages') },
    });
    closeSync(out);
    children.push(child);
  };
  start('memcached', ['memcached', ...asRoot, '-l', '127.0.0.1', '-p', String(ports.cache)]);
  for (const name of ['account', 'container', 'object', 'proxy']) {
    start(name, [python, join(binaries, `swift-${name}-server`), join(folders.etc, `${name}-server.conf`)]);
  }

  const log = (): string =>
    ['account', 'container', 'object', 'proxy'].map((name) => readFileSync(join(folders.logs, `${name}.log`), 'utf8')).join('\n');
  const stop = (): void => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  };
  const endpoint = `http://127.0.0.1:${ports.proxy}`;
  for (let tries = 0; tries < 300; tries++) {
    const up = await Promise.all([answers(`${endpoint}/healthcheck`), ...Object.values(ports).map((port) => listens(port))]);
    if (!up.includes(false)) return { endpoint, port: ports.proxy, log, stop };
    await pause(100);
  }
  const told = log();
  stop();
  throw new Error(`Swift did not start:\n${told.slice(-4000)}`);
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function listens(port: number): Promise<boolean> {
  return await new Promise((settle) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      settle(true);
    });
    socket.on('error', () => settle(false));
  });
}

function makeRing(etc: string, name: string, port: number): void {
  const builder = `${name}.builder`;
  for (const args of [
    [builder, 'create', '8', '1', '1'],
    [builder, 'add', `r1z1-127.0.0.1:${port}/d1`, '1'],
    [builder, 'rebalance'],
  ]) {
    spawnSync('swift-ring-builder', args, { cwd: etc, stdio: 'ignore' });
  }
  if (!existsSync(join(etc, `${name}.ring.gz`))) throw new Error(`swift-ring-builder made no ${name} ring`);
}

/** Held all at once, so that no two are the same. */
async function freePorts(): Promise<SwiftPorts> {
  const servers = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const server = createServer();
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      return server;
    }),
  );
  const [proxy = 0, object = 0, container = 0, account = 0, cache = 0] = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return { proxy, object, container, account, cache };
}
