import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { explain } from '../../scripts/setup/npm.mjs';
import { pageIsBuilt } from '../../scripts/setup/page.mjs';
import { isReady } from '../../scripts/setup/stamp.mjs';
import { systemNode } from '../support/system-node.ts';

const root = join(import.meta.dirname, '..', '..');
const other = systemNode();

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-setup-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

// Elsewhere it would install, under the feet of the running tests.
test.skipIf(!isReady() || !pageIsBuilt())(
  'where set-up was done by `npm run setup`, another does nothing: it runs no program, writes nothing and says nothing',
  () => {
    const [bin, ran] = [join(folder, 'bin'), join(folder, 'ran')];
    mkdirSync(bin);
    for (const name of ['npm', 'node', 'node-gyp', 'git', 'sh']) {
      writeFileSync(join(bin, name), `#!/bin/sh\necho ${name} >> ${ran}\n`, { mode: 0o755 });
    }
    const cli = join(folder, 'npm-cli.js');
    writeFileSync(cli, `require('node:fs').appendFileSync(${JSON.stringify(ran)}, 'npm');`);
    const written = ['node_modules/.holdfast-setup', 'node_modules/.package-lock.json', '.cache/setup.log', 'dist'].map((name) =>
      join(root, name),
    );
    const stamps = (): readonly unknown[] => written.map((name) => statSync(name, { bigint: true, throwIfNoEntry: false })?.mtimeNs);
    const was = stamps();
    const result = spawnSync(process.execPath, [join(root, 'scripts/setup.mjs')], {
      encoding: 'utf8',
      env: { ...process.env, PATH: bin, npm_execpath: cli },
    });
    expect(result).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(ran)).toBe(false);
    expect(stamps()).toEqual(was);
  },
);

test.skipIf(other === null)(
  `the Node of the system parses all that runs before set-up is done${other === null ? ' (there is none here)' : ''}`,
  () => {
    const parts = readdirSync(join(root, 'scripts/setup')).map((name) => `scripts/setup/${name}`);
    for (const file of ['bin/holdfast.js', 'scripts/setup.mjs', ...parts]) {
      expect(spawnSync(other ?? '', ['--check', join(root, file)], { encoding: 'utf8' }), file).toMatchObject({ status: 0, stderr: '' });
    }
  },
);

test.skipIf(other === null)(
  `a set-up that the pinned Node runs, as after a change of the lock file, goes on when it has taken that Node away${other === null ? ' (there is none here)' : ''}`,
  () => {
    cpSync(join(root, 'scripts/setup'), join(folder, 'scripts/setup'), { recursive: true });
    const [bin, cache] = [join(folder, 'node_modules/node/bin'), join(folder, '.cache')];
    for (const made of [bin, cache]) mkdirSync(made, { recursive: true });
    const pinned = join(bin, 'node');
    copyFileSync(process.execPath, pinned);
    const cli = join(folder, 'npm-cli.js');
    writeFileSync(cli, `process.stdout.write('ran under ' + process.execPath);`);
    const script = `
      import { rmSync } from 'node:fs';
      import { runNpm } from ${JSON.stringify(pathToFileURL(join(folder, 'scripts/setup/npm.mjs')).href)};
      rmSync(${JSON.stringify(join(folder, 'node_modules'))}, { recursive: true });
      runNpm(['rebuild', 'node'], {});`;
    const result = spawnSync(pinned, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}:${dirname(other ?? '')}`, npm_execpath: cli },
    });
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(cache, 'setup.log'), 'utf8')).toContain('$ npm rebuild node\nran under /');
  },
);

test('what comes from npm is pinned exactly, with a checksum and without a download address', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const version of Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, object> };
  const locked = Object.entries(packages).filter(([path]) => path !== '');
  expect(locked.length).toBeGreaterThan(10);
  for (const [path, entry] of locked) {
    expect(entry, path).toHaveProperty('integrity', expect.stringMatching(/^sha512-/));
    expect(entry, path).not.toHaveProperty('resolved');
  }
});

describe('two set-ups of one folder', () => {
  const script = (log: string): string => `
    import { appendFileSync } from 'node:fs';
    import { withLock } from ${JSON.stringify(pathToFileURL(join(root, 'scripts/setup/lock.mjs')).href)};
    await withLock(() => {
      appendFileSync(${JSON.stringify(log)}, 'begin ');
      process.stdout.write('holding');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.argv[1]));
      appendFileSync(${JSON.stringify(log)}, 'end ');
    }, ${JSON.stringify(`holdfast-test-${folder}`)});`;
  const startOne = (log: string, holdMs: number): ReturnType<typeof spawn> =>
    spawn(process.execPath, ['--input-type=module', '-e', script(log), String(holdMs)], { stdio: ['ignore', 'pipe', 'inherit'] });

  const firstOutput = async (run: ReturnType<typeof spawn>): Promise<string> => String((await once(run.stdout ?? run, 'data'))[0]);

  test('work one after the other', async () => {
    const log = join(folder, 'log');
    const runs = [startOne(log, 300), startOne(log, 300), startOne(log, 300)];
    const codes = await Promise.all(runs.map((run) => once(run, 'close')));
    expect(codes).toEqual([0, 0, 0].map((code) => [code, null]));
    expect(readFileSync(log, 'utf8')).toBe('begin end begin end begin end ');
  });

  test('a killed one does not stand in the way', async () => {
    const log = join(folder, 'log');
    const killed = startOne(log, 60_000);
    await firstOutput(killed);
    const waiting = startOne(log, 0);
    expect(await firstOutput(waiting)).toContain('another one is at work');
    killed.kill('SIGKILL');
    await once(waiting, 'close');
    expect(waiting.exitCode).toBe(0);
  });
});

describe('what went wrong is said in plain words', () => {
  const path = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = path;
  });

  test('no compiler', () => {
    process.env['PATH'] = folder;
    expect(explain(['rebuild', 'zstd-napi'], 'gyp ERR! build error')).toBe(
      'no prebuilt zstd module could be fetched, and it cannot be built here: make, a C++ compiler, python3 not found.\n' +
        'On Debian and Ubuntu: apt-get install -y build-essential python3\nThen run the same command again.',
    );
  });

  test('no network', () => {
    const output = 'npm error code EAI_AGAIN\nnpm error request failed';
    expect(explain(['ci'], output)).toContain('`npm ci` could not reach the npm registry. Is this machine online');
  });

  test('no space, no permission', () => {
    expect(explain(['ci'], 'npm error ENOSPC: no space left on device, write')).toBe('`npm ci` failed: the disk is full.');
    expect(explain(['ci'], "npm error EACCES: permission denied, mkdir '/x'")).toContain('may not write here');
  });

  test('anything else is shown as npm said it', () => {
    const output = Array.from({ length: 40 }, (_, index) => `line ${String(index)}`).join('\n');
    expect(explain(['ci'], output)).toBe(
      `\`npm ci\` failed. Its last lines:\n\n${Array.from({ length: 15 }, (_, index) => `line ${String(index + 25)}`).join('\n')}\n`,
    );
  });
});
