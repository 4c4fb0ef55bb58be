import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const cache = join(import.meta.dirname, '..', '..', '.cache');
const work = join(cache, 'unpacking');

interface Bundle {
  /** Folder in the cache where the tests look for it. */
  readonly name: string;
  readonly what: string;
  readonly suite: 'bookworm' | 'trixie' | 'sid';
  readonly packages: readonly string[];
  /** Only the bench wants it. */
  readonly benchOnly?: true;
}

/** Programs of other Debian releases that run on this one's libraries: Python only, or single binaries that need no more than libc. */
const bundles: readonly Bundle[] = [
  {
    name: 'swift',
    what: 'OpenStack Swift 2.35 as an S3 server',
    // Older ones check neither checksums nor If-None-Match of S3.
    suite: 'trixie',
    packages: ['python3-swift', 'swift-proxy', 'swift-account', 'swift-container', 'swift-object'],
  },
  { name: 'moto', what: 'moto as an S3 server that returns checksums', suite: 'trixie', packages: ['python3-moto'] },
  { name: 'rclone-1.60', what: 'rclone 1.60 as an independent client', suite: 'bookworm', packages: ['rclone'] },
  { name: 'rclone-1.7x', what: 'a newer rclone as a second independent client', suite: 'sid', packages: ['rclone'] },
  {
    name: 'docker',
    what: 'Docker, for servers that are containers',
    suite: 'bookworm',
    packages: ['docker.io', 'containerd', 'runc', 'tini', 'busybox-static'],
  },
  { name: 'restic', what: 'restic to be measured against', suite: 'sid', packages: ['restic'], benchOnly: true },
];

/**
 * Unpacks them into the cache, beside the system and unknown to it; the system's own sources of packages stay as they are. Never fails:
 * without one, the tests that need it are skipped.
 */
export function provideUnpacked(forBench = false): void {
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) return;
  const missing = bundles.filter(({ name, benchOnly }) => (forBench || benchOnly !== true) && !existsSync(join(cache, name)));
  for (const bundle of missing) {
    process.stdout.write(`Unpacking ${bundle.what} …\n`);
    const ok = fetchPackages(bundle) && unpack(bundle.name);
    process.stdout.write(ok ? 'Unpacked.\n' : 'That did not work; what needs it is left out.\n');
  }
  rmSync(work, { recursive: true, force: true });
}

function fetchPackages({ suite, packages }: Bundle): boolean {
  rmSync(join(work, 'debs'), { recursive: true, force: true });
  const folders = { parts: join(work, suite, 'parts'), lists: join(work, suite, 'lists'), archives: join(work, suite, 'cache') };
  for (const folder of [folders.parts, join(folders.lists, 'partial'), join(folders.archives, 'archives', 'partial'), join(work, 'debs')]) {
    mkdirSync(folder, { recursive: true });
  }
  const sources = join(folders.parts, `${suite}.sources`);
  const apart = [
    'Dir::Etc::SourceList=/dev/null',
    `Dir::Etc::SourceParts=${folders.parts}`,
    `Dir::State::Lists=${folders.lists}`,
    `Dir::Cache=${folders.archives}`,
    // The sandbox's user may not write here.
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  if (!existsSync(sources)) {
    writeFileSync(
      sources,
      `Types: deb
URIs: http://deb.debian.org/debian
Suites: ${suite}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
    );
    if (!run('apt-get', ['-q', ...apart, 'update'])) return false;
  }
  return run('apt-get', ['-q', ...apart, 'download', ...packages]);
}

/** Under another name first: what has the right one is whole. */
function unpack(name: string): boolean {
  const fresh = join(work, 'root');
  rmSync(fresh, { recursive: true, force: true });
  for (const deb of readdirSync(join(work, 'debs')).filter((file) => file.endsWith('.deb'))) {
    if (!run('dpkg', ['-x', deb, fresh])) return false;
  }
  renameSync(fresh, join(cache, name));
  return true;
}

function run(command: string, args: readonly string[]): boolean {
  const result = spawnSync(command, args, { cwd: join(work, 'debs'), encoding: 'utf8' });
  if (result.status !== 0) process.stdout.write(`${result.stdout}${result.stderr}`);
  return result.status === 0;
}
