import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';

interface Need {
  readonly package: string;
  /** What the tests use it for. */
  readonly reason: string;
  /** A command that succeeds where it is there, however it came. */
  readonly probe: readonly [string, ...string[]];
}

/** Programs that tests hold ours against, or watch it with. */
const needs: readonly Need[] = [
  { package: 'zstd', reason: 'reads our compressed streams', probe: ['zstd', '--version'] },
  { package: 'unzip', reason: 'reads our ZIP files', probe: ['unzip', '-v'] },
  { package: 'p7zip-full', reason: 'reads our ZIP files', probe: ['7z', 'i'] },
  { package: 'python3', reason: 'runs the independent opener', probe: ['python3', '--version'] },
  { package: 'python3-cryptography', reason: 'decrypts in the independent opener', probe: ['python3', '-c', 'import cryptography'] },
  { package: 'strace', reason: 'shows which files a restore touches', probe: ['strace', '--version'] },
  { package: 'git', reason: 'decides what an exclude pattern means', probe: ['git', '--version'] },
  // Swift is the S3 server of the tests; a newer one is unpacked over what these bring along (unpacked.ts).
  ...['proxy', 'account', 'container', 'object'].map((part): Need => ({
    package: `swift-${part}`,
    reason: 'is the S3 server that S3 destinations are tested on',
    probe: ['test', '-x', `/usr/bin/swift-${part}-server`],
  })),
  ...['flask', 'flask-cors', 'boto3', 'responses', 'antlr4', 'xmltodict'].map((part): Need => ({
    package: `python3-${part}`,
    reason: 'is needed by moto, a second S3 server of the tests',
    probe: ['/usr/bin/python3', '-c', `import ${part.replace('-', '_')}`],
  })),
  // Without libpam-systemd, which makes systemd the init of this machine: only tests of users' own units want it.
  { package: 'systemd', reason: 'runs the service, in namespaces of its own', probe: ['test', '-x', '/lib/systemd/systemd'] },
  { package: 'openssl', reason: 'makes the certificates of the tests', probe: ['openssl', 'version'] },
  {
    package: 'libsecret-1-dev',
    reason: 'builds the bridge to the keyring',
    probe: ['test', '-e', '/usr/include/libsecret-1/libsecret/secret.h'],
  },
  { package: 'gnome-keyring', reason: 'is the keyring that secrets are kept in', probe: ['gnome-keyring-daemon', '--version'] },
  { package: 'dbus-daemon', reason: 'gives that keyring a session', probe: ['dbus-run-session', '--version'] },
  { package: 'chromium', reason: 'shows the page', probe: ['chromium', '--version'] },
  { package: 'zbar-tools', reason: 'reads the QR code of the recovery kit', probe: ['zbarimg', '--version'] },
  { package: 'memcached', reason: 'belongs to that S3 server', probe: ['memcached', '--version'] },
];

/** Installs what is missing when it may, else prints the line that would. Never fails: tests that lack something are skipped. */
export async function provideDebianPackages(): Promise<void> {
  const missing = needs.filter(({ probe: [command, ...args] }) => spawnSync(command, args, { stdio: 'ignore' }).status !== 0);
  if (missing.length === 0) return;
  const names = missing.map((need) => need.package);
  process.stdout.write('Some tests need Debian packages that are not here:\n');
  for (const { package: name, reason } of missing) process.stdout.write(`  ${name}: ${reason}\n`);
  const line = `apt-get install -y --no-install-recommends ${names.join(' ')}`;
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) {
    const advice = existsSync('/usr/bin/apt-get') ? `To run them: sudo ${line}` : 'Install them with your package manager to run them.';
    process.stdout.write(`The tests that lack them are skipped. ${advice}\n\n`);
    return;
  }
  process.stdout.write(`Installing them, without starting any service that they bring: ${line}\n`);
  const ok = await withoutServiceStarts(
    async (stop) => (await apt(['update'], stop)) && (await apt(['install', '-y', '--no-install-recommends', ...names], stop)),
  );
  process.stdout.write(ok ? 'Installed.\n\n' : 'That did not work; the tests that lack them are skipped.\n\n');
}

const policyFile = '/usr/sbin/policy-rc.d';
const policy = `#!/bin/sh
# Made by Holdfast's npm test while it installs packages, and removed behind them.
exit 101
`;

/**
 * Debian's own switch (invoke-rc.d(8)): 101 means that no service may be started. An administrator's own file is left alone; one that a run of ours has left
 * which was killed would keep all services of this machine from starting, and goes with this run.
 */
async function withoutServiceStarts(work: (stop: AbortSignal) => Promise<boolean>): Promise<boolean> {
  const isOurs = !existsSync(policyFile) || readFileSync(policyFile, 'utf8') === policy;
  const remove = (): void => {
    if (isOurs) rmSync(policyFile, { force: true });
  };
  const stop = new AbortController();
  let caught: NodeJS.Signals | null = null;
  // Its packages are not left half installed: it ends first, and this process after it.
  const end = (signal: NodeJS.Signals): void => {
    caught = signal;
    stop.abort();
  };
  if (isOurs) {
    writeFileSync(policyFile, policy);
    chmodSync(policyFile, 0o755);
  }
  process.on('exit', remove).on('SIGINT', end).on('SIGTERM', end);
  try {
    return await work(stop.signal);
  } finally {
    remove();
    process.removeListener('exit', remove).removeListener('SIGINT', end).removeListener('SIGTERM', end);
    if (caught !== null) process.kill(process.pid, caught);
  }
}

async function apt(args: readonly string[], stop: AbortSignal): Promise<boolean> {
  if (stop.aborted) return false;
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' };
  const child = spawn('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], { env: quiet, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  stop.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) process.stdout.write(said);
  return code === 0;
}
