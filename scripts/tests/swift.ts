import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const cache = join(import.meta.dirname, '..', '..', '.cache');
/** Where the tests look for it. */
const overlay = join(cache, 'swift');
const work = join(cache, 'swift-work');

/** They hold Python only (architecture all), so they run on the dependencies of an older Debian as well. */
const packages = ['python3-swift', 'swift-proxy', 'swift-account', 'swift-container', 'swift-object'];

const sources = `Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

/**
 * Unpacks Swift 2.35 of Debian trixie into the cache, beside the system and unknown to it: older ones check neither checksums nor
 * If-None-Match of S3. The system's own sources of packages stay as they are. Never fails: without it the tests on S3 are skipped.
 */
export function provideSwift(): void {
  if (existsSync(overlay) || !existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) return;
  process.stdout.write('Unpacking OpenStack Swift 2.35 as an S3 server for the tests …\n');
  const ok = fetchPackages() && unpack();
  rmSync(work, { recursive: true, force: true });
  process.stdout.write(ok ? 'Unpacked.\n\n' : 'That did not work; the tests on an S3 server are skipped.\n\n');
}

function fetchPackages(): boolean {
  rmSync(work, { recursive: true, force: true });
  for (const folder of ['parts', 'lists/partial', 'cache/archives/partial']) mkdirSync(join(work, folder), { recursive: true });
  writeFileSync(join(work, 'parts', 'trixie.sources'), sources);
  const apart = [
    'Dir::Etc::SourceList=/dev/null',
    `Dir::Etc::SourceParts=${join(work, 'parts')}`,
    `Dir::State::Lists=${join(work, 'lists')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    // The sandbox's user may not write here.
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  return run('apt-get', ['-q', ...apart, 'update']) && run('apt-get', ['-q', ...apart, 'download', ...packages]);
}

/** Under another name first: what has the right one is whole. */
function unpack(): boolean {
  const fresh = join(work, 'root');
  for (const name of readdirSync(work).filter((file) => file.endsWith('.deb'))) {
    if (!run('dpkg', ['-x', name, fresh])) return false;
  }
  renameSync(fresh, overlay);
  return true;
}

function run(command: string, args: readonly string[]): boolean {
  const result = spawnSync(command, args, { cwd: work, encoding: 'utf8' });
  if (result.status !== 0) process.stdout.write(`${result.stdout}${result.stderr}`);
  return result.status === 0;
}
