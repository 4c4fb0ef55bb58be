import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { FileCalls } from '../../main/adapters/files/file-calls.ts';
import { nodeFileCalls } from '../../main/adapters/files/file-calls.ts';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import type { Fault } from '../../main/contract/faults.ts';
import { asNobody } from '../support/as-nobody.ts';
import { makeOldServer, nobodyUsesIt, request } from '../support/swap-scenarios.ts';
import { tempFolder } from '../support/temp-folder.ts';

const driver = join(import.meta.dirname, '../support/swap-driver.ts');
const isRoot = process.getuid?.() === 0;
const nobody = isRoot ? { uid: 65_534, gid: 65_534 } : {};
const canBeNobody = spawnSync(process.execPath, [driver, join(tmpdir(), 'x')], nobody).status === 0;

const targets = createRestoreTargets({ refuseWhenUsed: nobodyUsesIt });

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work;
  } catch (error) {
    return error as Fault;
  }
  throw new Error('it was not refused');
}

function server(): { home: string; target: string } {
  const home = tempFolder();
  const target = join(home, 'srv');
  makeOldServer(target);
  return { home, target };
}

describe('where a restore goes', () => {
  test('staging is an empty folder beside the target, readable by nobody else, on its file system', async () => {
    const { home, target } = server();
    const staging = await targets.prepare(request(target));
    expect(dirname(staging.dir)).toBe(home);
    expect(basename(staging.dir)).toBe('.srv.holdfast-restore-20261123T220500Z-k3v9qa');
    expect(lstatSync(staging.dir).mode & 0o777).toBe(0o700);
    expect(readdirSync(staging.dir)).toEqual([]);
    expect(lstatSync(staging.dir).dev).toBe(lstatSync(target).dev);
    await staging.abort();
    expect(readdirSync(home)).toEqual(['srv']);
  });

  test('a target with content needs replace; an empty one and a missing one do not', async () => {
    const { home, target } = server();
    const fault = await faultOf(targets.prepare(request(target, { replace: false })));
    expect(fault.code).toBe('config-invalid');
    expect(fault.message).toContain('--replace');
    mkdirSync(join(home, 'empty'));
    for (const name of ['empty', 'missing', 'deep/er/missing']) {
      await (await targets.prepare(request(join(home, name), { replace: false }))).abort();
    }
    expect(readdirSync(home).sort()).toEqual(['empty', 'srv']);
  });

  test('a file, a folder of the system and what the kernel keeps are refused', async () => {
    const home = tempFolder();
    writeFileSync(join(home, 'file'), '');
    for (const target of [join(home, 'file'), join(home, 'file/below'), '/', '/etc', '/usr/lib', '/proc/self/x', '/sys/x', '/dev/x']) {
      expect((await faultOf(targets.prepare(request(target, { replace: true })))).code, target).toBe('config-invalid');
    }
  });

  test('the home folder itself needs replace even where it is empty', async () => {
    const fault = await faultOf(targets.prepare(request(homedir(), { replace: false })));
    expect(fault.code).toBe('config-invalid');
  });

  test('a target that is a link means the folder behind it, and this is said', async () => {
    const { home, target } = server();
    symlinkSync('srv', join(home, 'alias'));
    const staging = await targets.prepare(request(join(home, 'alias')));
    expect(staging.target).toBe(target);
    expect(staging.notes.join()).toContain(`the restore goes to ${target}`);
    await staging.abort();
    symlinkSync('loop', join(home, 'loop'));
    expect((await faultOf(targets.prepare(request(join(home, 'loop'))))).code).toBe('config-invalid');
  });

  test('names that leave no room for ours are cut at a character and told apart', async () => {
    const home = tempFolder();
    const [one, two] = [`${'ä'.repeat(120)}one`, `${'ä'.repeat(120)}two`];
    const first = await targets.prepare(request(join(home, one)));
    const second = await targets.prepare(request(join(home, two)));
    expect(first.dir).not.toBe(second.dir);
    expect(readdirSync(home).every((name) => Buffer.byteLength(name) <= 255 && !name.includes('\ufffd'))).toBe(true);
    await first.abort();
    await second.abort();
  });

  describe.skipIf(!canBeNobody)('as someone who is not root (skipped where Node cannot be started as nobody)', () => {
    function whereAsNobody(target: string): unknown {
      const run = spawnSync(process.execPath, [driver, 'where', target], { encoding: 'utf8', ...nobody });
      expect(run.stderr).toBe('');
      return JSON.parse(run.stdout);
    }

    test('where the parent may not be written, staging lies inside the target; where neither may be, it is refused', () => {
      const home = tempFolder();
      const target = join(home, 'srv');
      mkdirSync(target);
      chmodSync(home, 0o555);
      chmodSync(target, 0o777);
      expect(whereAsNobody(target)).toEqual({ dir: join(target, '.holdfast-restore-20261123T220500Z-k3v9qa/tree') });
      expect(readdirSync(target)).toEqual([]);
      chmodSync(target, 0o555);
      expect(whereAsNobody(target)).toEqual({ fault: 'permission-denied' });
      expect(whereAsNobody(join(home, 'missing'))).toEqual({ fault: 'permission-denied' });
      chmodSync(home, 0o700);
    });

    test.skipIf(!isRoot)('in a sticky folder someone else’s target is filled from the inside (skipped: only root can set this up)', () => {
      const home = tempFolder();
      const target = join(home, 'srv');
      mkdirSync(target);
      chmodSync(home, 0o1777);
      chmodSync(target, 0o777);
      expect(whereAsNobody(target)).toEqual({ dir: join(target, '.holdfast-restore-20261123T220500Z-k3v9qa/tree') });
    });
  });

  test('something mounted inside the target is refused', () => {
    const home = tempFolder();
    const target = join(home, 'srv');
    makeOldServer(target);
    const script = `mount -t tmpfs none '${target}/logs' && exec '${process.execPath}' '${driver}' 'run:whole swap' '${target}'`;
    const run = spawnSync('unshare', ['-Urm', 'sh', '-c', script], { encoding: 'utf8' });
    // Where user namespaces are forbidden nothing is mounted, and there is nothing to see.
    if (spawnSync('unshare', ['-Urm', 'true']).status === 0) expect(run.stderr).toContain(`something mounted inside it (${target}/logs)`);
    expect(readdirSync(home)).toEqual(['srv']);
  });
});

describe('room', () => {
  function withFree(freeBytes: bigint, freeFiles: bigint, countsFiles = true): FileCalls {
    return { ...nodeFileCalls, statfs: () => Promise.resolve({ freeBytes, freeFiles, countsFiles }) };
  }

  test('content and five per cent must be free, files too, and both figures are told before anything is written', async () => {
    const { home, target } = server();
    const ask = request(target, { bytesNeeded: 1000, entriesNeeded: 7 });
    const prepare = (calls: FileCalls): Promise<Awaited<ReturnType<typeof targets.prepare>>> =>
      createRestoreTargets({ calls, refuseWhenUsed: nobodyUsesIt }).prepare(ask);
    const full = await faultOf(prepare(withFree(1049n, 100n)));
    expect([full.code, full.context['neededBytes'], full.context['freeBytes']]).toEqual(['disk-full', 1050, 1049]);
    const noInodes = await faultOf(prepare(withFree(5000n, 6n)));
    expect([noInodes.code, noInodes.context['neededFiles'], noInodes.context['freeFiles']]).toEqual(['disk-full', 7, 6]);
    expect(readdirSync(home)).toEqual(['srv']);
    await (await prepare(withFree(1050n, 7n))).abort();
    await (await prepare(withFree(1050n, 0n, false))).abort();
  });
});

describe('one at a time', () => {
  test('a second restore of the same target is locked out until the first has ended, also through a link', async () => {
    const { home, target } = server();
    symlinkSync('srv', join(home, 'alias'));
    const first = await targets.prepare(request(target));
    expect((await faultOf(targets.prepare(request(target, { force: true })))).code).toBe('locked');
    expect((await faultOf(targets.prepare(request(join(home, 'alias'))))).code).toBe('locked');
    expect((await faultOf(targets.recover(target))).code).toBe('locked');
    expect(lstatSync(first.dir).isDirectory()).toBe(true);
    await first.abort();
    await (await targets.prepare(request(target))).abort();
  });

  test('of many that begin at once exactly one gets through', async () => {
    const { target } = server();
    const runs = await Promise.allSettled(Array.from({ length: 20 }, () => targets.prepare(request(target))));
    const won = runs.filter((run) => run.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await won[0]?.value.abort();
  });

  test('abort takes closed folders away too, does nothing twice, and leaves no parents behind', async () => {
    const home = tempFolder();
    chmodSync(home, 0o777);
    await asNobody(async () => {
      const staging = await targets.prepare(request(join(home, 'new/parents/srv')));
      mkdirSync(join(staging.dir, 'closed/inner'), { recursive: true });
      writeFileSync(join(staging.dir, 'closed/inner/file'), '');
      chmodSync(join(staging.dir, 'closed/inner'), 0);
      chmodSync(join(staging.dir, 'closed'), 0);
      await staging.abort();
      await staging.abort();
    });
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('in use', () => {
  const real = createRestoreTargets();

  function start(command: string, args: readonly string[], cwd: string): Promise<ChildProcess> {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    // Each prints a line once it has what it holds.
    return new Promise((done) => child.stdout.once('data', () => done(child)));
  }

  const holders: [string, (target: string) => Promise<ChildProcess>, string][] = [
    ['its working folder', (target) => start('sh', ['-c', 'echo; exec sleep 1000'], join(target, 'world')), '/srv/world'],
    [
      'an open file',
      (target) => start('sh', ['-c', `exec 3< '${target}/world/level.dat'; echo; exec sleep 1000`], '/'),
      '/srv/world/level.dat',
    ],
    [
      'a program',
      (target) => {
        copyFileSync('/bin/sh', join(target, 'game'));
        return start(join(target, 'game'), ['-c', 'echo; read line < /dev/zero; sleep 1000'], '/');
      },
      '/srv/game',
    ],
  ];

  test.each(holders)('by a process that has %s there: refused with id, command and path, forced all the same', async (_, hold, path) => {
    const { home, target } = server();
    const child = await hold(target);
    const fault = await faultOf(real.prepare(request(target)));
    expect(fault.code).toBe('locked');
    expect(fault.context['pid']).toBe(child.pid);
    expect(String(fault.context['path'])).toContain(path);
    expect(fault.message).toContain(String(fault.context['command']));
    expect(readdirSync(home)).toEqual(['srv']);
    await (await real.prepare(request(target, { force: true }))).abort();
  });

  test('a process that comes while the staging folder is filled is seen before the exchange', async () => {
    const { home, target } = server();
    const staging = await real.prepare(request(target));
    await start('sh', ['-c', 'echo; exec sleep 1000'], target);
    const fault = await faultOf(staging.commit({ root: null, carryOver: null }));
    expect(fault.code).toBe('locked');
    expect(readdirSync(home)).toEqual(['srv']);
  });

  test('a neighbour whose name begins alike does not count', async () => {
    const { home, target } = server();
    mkdirSync(join(home, 'srv2'));
    await start('sh', ['-c', 'echo; exec sleep 1000'], join(home, 'srv2'));
    await (await real.prepare(request(target))).abort();
  });

  const canMount = spawnSync('unshare', ['-Urm', 'true']).status === 0;
  test.skipIf(!canMount)(
    'a container that sees the folder under another name counts (skipped where user namespaces are forbidden)',
    async () => {
      const { home, target } = server();
      mkdirSync(join(home, 'data'));
      await start(
        'unshare',
        ['-Urm', 'sh', '-c', `mount --bind '${target}' '${home}/data' && cd '${home}/data/world' && echo && exec sleep 1000`],
        '/',
      );
      const fault = await faultOf(real.prepare(request(target)));
      expect([fault.code, fault.context['path']]).toEqual(['locked', join(home, 'data/world')]);
    },
  );
});
