import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Counts } from '../../scripts/tests/count-reporter.ts';
import { isRoot, nobody } from '../support/run-holdfast.ts';
import { tempFolder } from '../support/temp-folder.ts';

const script = pathToFileURL(join(import.meta.dirname, '..', '..', 'scripts', 'tests', 'debian.ts')).href;
const service = 'holdfast-trial';

/** Why nothing can be installed here, not even by a fake; empty where it can. */
const lacking = ((): string => {
  if (!isRoot) return 'not run as root';
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/sbin/invoke-rc.d')) return 'no Debian';
  return spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' }).status === 0 ? '' : 'no namespaces of its own';
})();

interface Installed {
  readonly stdout: string;
  /** How apt-get was called, in order. */
  readonly calls: readonly string[];
  /** What it found in its environment. */
  readonly environment: string;
  /** What the service's own script was told, by installing and after it. */
  readonly started: string;
  /** The policy file in the end; null where there is none. */
  readonly policy: string | null;
}

interface Machine {
  /** A policy file that is there already. */
  readonly policy?: string;
  /** What apt-get ends with when it is to install. */
  readonly code?: number;
  /** In shell: what apt-get does when it is to install, before the service is started. */
  readonly meanwhile?: string;
}

function executable(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

/**
 * Lets the real script install on a machine where apt-get is a fake that starts a service, as a package's script does: by the real invoke-rc.d. In a
 * mount namespace, so that /usr/sbin, /etc/init.d and the runlevel are the test's own.
 */
function installed({ policy, code = 0, meanwhile = '' }: Machine = {}): Installed {
  const base = tempFolder();
  const at = (...names: string[]): string => join(base, ...names);
  cpSync('/usr/sbin', at('sbin'), { recursive: true, verbatimSymlinks: true });
  for (const name of ['policy-rc.d', 'runlevel']) rmSync(at('sbin', name), { force: true });
  if (policy !== undefined) executable(at('sbin', 'policy-rc.d'), policy);
  executable(at('sbin', 'runlevel'), 'echo N 2');
  for (const name of ['init', 'rc', 'bin']) mkdirSync(at(name));
  executable(at('init', service), `echo "$1 \${BY:-afterwards}" >> ${at('started')}`);
  symlinkSync(`../init.d/${service}`, at('rc', `S01${service}`));
  executable(
    at('bin', 'apt-get'),
    `printf '%s\\n' "$*" >> ${at('calls')}
     case " $* " in *" install "*) ;; *) exit 0 ;; esac
     PATH=/usr/bin:/bin:/usr/sbin:/sbin
     export BY=installing
     env > ${at('environment')}
     ${meanwhile}
     invoke-rc.d ${service} start || exit 90
     exit ${String(code)}`,
  );
  const shell = `
    mount --bind ${at('sbin')} /usr/sbin && mount --bind ${at('init')} /etc/init.d && mount --bind ${at('rc')} /etc/rc2.d || exit 91
    PATH=${at('bin')} ${process.execPath} -e 'import("${script}").then((it) => it.provideDebianPackages())'
    invoke-rc.d ${service} start`;
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', shell], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const read = (name: string): string | null => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : null);
  return {
    stdout,
    calls: (read('calls') ?? '').trim().split('\n'),
    environment: read('environment') ?? '',
    started: read('started') ?? '',
    policy: read(join('sbin', 'policy-rc.d')),
  };
}

const named = / apt-get install -y --no-install-recommends (.*)$/m;

describe.skipIf(lacking !== '')(`as root, missing packages are installed${lacking === '' ? '' : ` (${lacking})`}`, () => {
  test('by the command that is shown, unattended; no service starts meanwhile, and what kept it from starting is gone', () => {
    const { stdout, calls, environment, started, policy } = installed();
    const packages = named.exec(stdout)?.[1] ?? '';
    // Nothing but the fake is on the PATH.
    expect(packages.split(' ')).toEqual(expect.arrayContaining(['zstd', 'unzip', 'p7zip-full', 'memcached', 'swift-proxy']));
    expect(stdout).toContain('  zstd: reads our compressed streams\n');
    expect(stdout).toContain('Installing them, without starting any service that they bring: apt-get install');
    expect(stdout).toMatch(/\nInstalled\.\n/);
    const quiet = '-q -o DPkg::Lock::Timeout=120';
    expect(calls).toEqual([`${quiet} update`, `${quiet} install -y --no-install-recommends ${packages}`]);
    expect(environment).toMatch(/^DEBIAN_FRONTEND=noninteractive$/m);
    expect(environment).toMatch(/^NEEDRESTART_SUSPEND=1$/m);
    // The same call starts it once the script has ended: it was refused before, and is not any more.
    expect(started).toBe('start afterwards\n');
    expect(policy).toBeNull();
  });

  test('and where that fails it is said, and nothing keeps services from starting', () => {
    const { stdout, started, policy } = installed({ code: 100 });
    expect(stdout).toContain('That did not work; the tests that lack them are skipped.');
    expect([started, policy]).toEqual(['start afterwards\n', null]);
  });

  test.each(['TERM', 'INT'])(
    'a run that is told to end by %s ends once apt-get has, and nothing keeps services from starting',
    (signal) => {
      // Stopped as apt-get is by Ctrl-C: it does not end at once.
      const meanwhile = `trap 'invoke-rc.d ${service} start; exit 130' INT; kill -${signal} $PPID; while :; do sleep 0.1; done`;
      const { stdout, started, policy } = installed({ meanwhile });
      expect(stdout).not.toMatch(/Installed|did not work/);
      expect([started, policy]).toEqual(['start afterwards\n', null]);
    },
  );

  test('an administrator’s own rule stays, and is the one that counts', () => {
    const own = 'exit 0 # everything may';
    expect(installed({ policy: own })).toMatchObject({ started: 'start installing\nstart afterwards\n', policy: `#!/bin/sh\n${own}\n` });
  });

  test('what a killed run has left is no administrator’s, and goes', () => {
    const left = installed({ meanwhile: `kill -KILL $PPID` });
    expect(left.policy).toContain('exit 101');
    expect(left.started).toBe('');
    const again = installed({ policy: (left.policy ?? '').replace('#!/bin/sh\n', '').trimEnd() });
    expect([again.started, again.policy]).toEqual(['start afterwards\n', null]);
  });
});

test.skipIf(!existsSync('/usr/bin/apt-get'))(
  'without root the line to type is shown, nothing is run, and it is said that tests are skipped',
  () => {
    const bin = tempFolder();
    chmodSync(bin, 0o755);
    executable(join(bin, 'apt-get'), `echo called > ${join(bin, 'called')}`);
    const drop = isRoot ? `process.setgid(${String(nobody)}); process.setuid(${String(nobody)});` : '';
    // Root's powers go once the sources are loaded, which may lie where nobody else reads.
    const stdout = execFileSync(process.execPath, ['-e', `import('${script}').then((it) => { ${drop} it.provideDebianPackages(); })`], {
      encoding: 'utf8',
      env: { PATH: bin },
    });
    const packages = named.exec(stdout)?.[1] ?? '';
    expect(packages.split(' ')).toContain('zstd');
    expect(stdout).toContain(
      `The tests that lack them are skipped. To run them: sudo apt-get install -y --no-install-recommends ${packages}\n`,
    );
    for (const name of packages.split(' ')) expect(stdout).toContain(`\n  ${name}: `);
    expect(existsSync(join(bin, 'called'))).toBe(false);
  },
);

test('and so they are: a test file that wants what is not there is counted as skipped, test by test, and as neither passed nor failed', () => {
  const root = join(import.meta.dirname, '..', '..');
  const counts = join(tempFolder(), 'counts.json');
  const args = ['run', 'tests/e2e/readers-of-archives.test.ts', `--reporter=${join(root, 'scripts/tests/count-reporter.ts')}`];
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: root,
    env: { ...process.env, PATH: tempFolder(), HOLDFAST_TEST_COUNTS: counts, VITEST: undefined },
  });
  const { files, otherFailures } = JSON.parse(readFileSync(counts, 'utf8')) as Counts;
  expect([status, otherFailures]).toEqual([0, 0]);
  expect(files).toMatchObject([{ passed: 0, failures: [] }]);
  expect(files[0]?.skipped.length).toBeGreaterThan(5);
});
