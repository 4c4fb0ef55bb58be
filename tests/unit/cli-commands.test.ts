import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FaultCode } from '../../main/contract/faults.ts';
import { Fault, faultCodes } from '../../main/contract/faults.ts';
import type {
  BackupReport,
  BackupRequest,
  EntryRow,
  PruneReport,
  PruneRequest,
  RestoreReport,
  RestoreRequest,
  SnapshotRow,
  VerifyReport,
} from '../../main/contract/reports.ts';
import { modeText } from '../../main/headless/commands/ls.ts';
import type { FakeHostOptions, FinishedRun } from '../support/cli-host.ts';
import { runWith } from '../support/cli-host.ts';
import { tempFolder } from '../support/temp-folder.ts';

const env = { HOLDFAST_PASSWORD: 'a long enough password' };
type Calls = NonNullable<FakeHostOptions['engine']>;

function run(args: readonly string[], engine: Calls = {}, options: FakeHostOptions = {}): Promise<FinishedRun> {
  return runWith(args, { env, cwd: '/srv', engine, ...options });
}

const backupReport: BackupReport = {
  ...{ outcome: 'written', id: '20261123T220500Z-k3v9qa', server: 'survival', files: 1204, bytes: 327_155_712, storedBytes: 102_000_000 },
  ...{ archives: ['survival/20261123T220500Z-k3v9qa.holdfast'], kept: { files: 0, bytes: 0 }, warnings: [], elapsedMs: 12_300 },
};
const restoreReport: RestoreReport = {
  ...{ id: '20261123T220500Z-k3v9qa', server: 'survival', target: '/srv/back', files: 3, bytes: 10, before: '/srv/back.before-x' },
  ...{ fromTarget: { files: 2, parts: 0, bytes: 8 }, fetchedBytes: 500, damaged: [], warnings: [], elapsedMs: 1 },
};
const verifyReport: VerifyReport = {
  ...{ snapshots: [{ id: 'one', server: 's', ok: true, files: 1, bytes: 1 }], damage: [], warnings: [], elapsedMs: 1 },
};
const pruneReport: PruneReport = {
  keep: [{ id: 'a', time: '2026-11-23T22:05:00Z', reasons: ['last snapshot', 'daily snapshot'] }],
  remove: [{ id: 'b', time: '2026-11-22T22:05:00Z' }],
  ...{ objects: ['s/b.manifest', 's/b.holdfast'], freedBytes: 2048, warnings: [] },
};
const row: SnapshotRow = {
  ...{ id: 'a', server: 'survival', slug: 'survival', time: '2026-11-23T22:05:00Z', files: 3, bytes: 10, storedBytes: 99 },
  ...{ sharedBytes: 0, complete: true, format: 'archive', pinned: false },
};

async function* rows(...entries: readonly EntryRow[]): AsyncGenerator<EntryRow> {
  for (const entry of entries) yield await Promise.resolve(entry);
}

describe('what is asked of the engine', () => {
  it('backup: with defaults', async () => {
    const requests: BackupRequest[] = [];
    const engine: Calls = { backup: (_, request) => (requests.push(request), Promise.resolve(backupReport)) };
    expect((await run(['backup', 'survival', '-d', `folder:${tempFolder()}`], engine)).exitCode).toBe(0);
    expect(requests).toEqual([
      { folder: '/srv/survival', excludes: [], format: 'archive', level: 3, volumeSize: 1_073_741_824, force: false, takeOver: false },
    ]);
  });

  it.each([
    [['--whole'], 'always'],
    [['--whole', '--whole-every', '9'], 'always'],
    [['--whole-every', 'never'], 'never'],
    [['--whole-every', 'always'], 'always'],
    [['--whole-every', '3650'], 3650],
  ] as const)('backup: when it is whole, by %j', async (args, whole) => {
    const requests: BackupRequest[] = [];
    const engine: Calls = { backup: (_, request) => (requests.push(request), Promise.resolve(backupReport)) };
    expect((await run(['backup', 'x', '-d', `folder:${tempFolder()}`, ...args], engine)).exitCode).toBe(0);
    expect(requests).toMatchObject([{ whole }]);
  });

  it.each(['0', '3651', 'monthly', ''])('backup: --whole-every %j is wrong usage', async (text) => {
    expect((await run(['backup', 'x', '-d', `folder:${tempFolder()}`, '--whole-every', text])).exitCode).toBe(2);
  });

  it('backup: with everything', async () => {
    const requests: BackupRequest[] = [];
    const engine: Calls = { backup: (_, request) => (requests.push(request), Promise.resolve(backupReport)) };
    const args = [
      '--server',
      'My Server',
      '--exclude',
      '*.log',
      '--exclude',
      '-odd',
      '--preset',
      'minecraft',
      '--format',
      'classic',
      '--level',
      '19',
    ];
    const more = ['--volume-size', '64K', '--time', '2026-11-24T03:30', '--force', '--take-over', '--whole-every', '7', '--ignore-inode'];
    const finished = await run(['backup', '/srv/x', '-d', `folder:${tempFolder()}`, ...args, ...more], engine, { zone: 'Europe/Berlin' });
    expect(finished.exitCode).toBe(0);
    expect(requests).toEqual([
      {
        ...{ folder: '/srv/x', server: 'My Server', excludes: ['*.log', '-odd'], preset: 'minecraft', format: 'classic', level: 19 },
        ...{ volumeSize: 65_536, time: Date.UTC(2026, 10, 24, 2, 30), force: true, takeOver: true, whole: 7, ignoreInode: true },
      },
    ]);
  });

  it('restore: target from the current folder, patterns in order', async () => {
    const requests: RestoreRequest[] = [];
    const engine: Calls = { restore: (_, request) => (requests.push(request), Promise.resolve(restoreReport)) };
    const args = [
      '--target',
      'back',
      '--include',
      'world/',
      '--include',
      '!world/tmp',
      '--replace',
      '--salvage',
      '--force',
      '--server',
      's',
    ];
    await run(['restore', 'latest', '-d', `folder:${tempFolder()}`, ...args], engine);
    expect(requests).toEqual([
      {
        snapshot: 'latest',
        server: 's',
        target: '/srv/back',
        include: ['world/', '!world/tmp'],
        replace: true,
        salvage: true,
        force: true,
      },
    ]);
  });

  it('verify: everything when nothing is named', async () => {
    const requests: unknown[] = [];
    const engine: Calls = { verify: (_, request) => (requests.push(request), Promise.resolve(verifyReport)) };
    await run(['verify', '-d', `folder:${tempFolder()}`], engine);
    await run(['verify', 'latest', '--quick', '-d', `folder:${tempFolder()}`, '--server', 's'], engine);
    expect(requests).toEqual([
      { snapshot: 'all', quick: false },
      { snapshot: 'latest', quick: true, server: 's' },
    ]);
  });

  it('prune: the rules, the zone of this computer or the one given', async () => {
    const requests: PruneRequest[] = [];
    const engine: Calls = { prune: (_, request) => (requests.push(request), Promise.resolve(pruneReport)) };
    const start = ['prune', '-d', `folder:${tempFolder()}`, '--server', 's'];
    await run([...start, '--keep-last', '3', '--keep-yearly', 'unlimited', '--dry-run'], engine, { zone: 'Asia/Tokyo' });
    await run([...start, '--zone', 'Europe/Berlin', '--take-over'], engine);
    expect(requests).toEqual([
      { server: 's', policy: { last: 3, yearly: -1 }, zone: 'Asia/Tokyo', dryRun: true, takeOver: false },
      { server: 's', policy: {}, zone: 'Europe/Berlin', dryRun: false, takeOver: true },
    ]);
  });

  it('pin and unpin', async () => {
    const requests: unknown[] = [];
    const engine: Calls = {
      pin: (_, request) => (requests.push(request), Promise.resolve('abcdef')),
      unpin: (_, request) => (requests.push(request), Promise.resolve('abcdef')),
    };
    await run(['pin', 'abc', '-d', `folder:${tempFolder()}`, '--note', 'before the update'], engine);
    await run(['unpin', 'abc', '-d', `folder:${tempFolder()}`, '--server', 's'], engine);
    expect(requests).toEqual([
      { snapshot: 'abc', note: 'before the update' },
      { snapshot: 'abc', server: 's' },
    ]);
  });
});

describe('JSON', () => {
  const destination = (): readonly string[] => ['-d', `folder:${tempFolder()}`, '--json'];

  it('pin and unpin: the id of the snapshot that was meant, in the text too', async () => {
    const engine: Calls = {
      pin: () => Promise.resolve('20261123T220500Z-k3v9qa'),
      unpin: () => Promise.resolve('20261123T220500Z-k3v9qa'),
    };
    const pinned = await run(['pin', 'latest', '--note', 'n', ...destination()], engine);
    expect(JSON.parse(pinned.stdout)).toEqual({ snapshot: '20261123T220500Z-k3v9qa', pinned: true, note: 'n' });
    const unpinned = await run(['unpin', 'latest', ...destination()], engine);
    expect(JSON.parse(unpinned.stdout)).toEqual({ snapshot: '20261123T220500Z-k3v9qa', pinned: false });
    const text = await run(['pin', 'latest', '-d', `folder:${tempFolder()}`], engine);
    expect(text.stdout).toBe('Snapshot 20261123T220500Z-k3v9qa is pinned.\n');
  });

  it('snapshots: a bare array; what says nothing is left out', async () => {
    const special: SnapshotRow = {
      ...row,
      id: 'b',
      server: 'My Server',
      slug: 'my-server',
      pinned: true,
      note: 'n',
      complete: false,
      problem: 'p',
    };
    const { stdout, stderr } = await run(['snapshots', ...destination()], { snapshots: () => Promise.resolve([row, special]) });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([
      {
        id: 'a',
        server: 'survival',
        time: '2026-11-23T22:05:00Z',
        files: 3,
        bytes: 10,
        storedBytes: 99,
        sharedBytes: 0,
        complete: true,
        format: 'archive',
      },
      {
        ...{
          id: 'b',
          server: 'My Server',
          time: '2026-11-23T22:05:00Z',
          files: 3,
          bytes: 10,
          storedBytes: 99,
          sharedBytes: 0,
          complete: false,
        },
        ...{ format: 'archive', slug: 'my-server', pinned: true, note: 'n', problem: 'p' },
      },
    ]);
  });

  it('ls: a bare array, empty or with tens of thousands of rows', async () => {
    const entry: EntryRow = { path: 'a\u001b[2J', type: 'file', size: 5, mode: 0o644, mtime: '2026-11-23T22:05:00.123456789Z' };
    const many = Array.from({ length: 30_000 }, (_, index) => ({ ...entry, path: `file-${index}` }));
    const link: EntryRow = { ...entry, type: 'symlink', target: '/etc' };
    const { stdout } = await run(['ls', 'latest', ...destination()], { list: () => rows(entry, link, ...many) });
    expect(JSON.parse(stdout)).toEqual([entry, link, ...many]);
    expect(stdout).not.toContain('\u001b');
    expect((await run(['ls', 'latest', ...destination()], { list: () => rows() })).stdout).toBe('[]\n');
  });

  it('ls: a fault after thousands of rows is still the only document', async () => {
    const engine: Calls = {
      list: async function* () {
        for (let index = 0; index < 20_000; index += 1)
          yield { path: `f${index}`, type: 'file', size: 1, mode: 0o600, mtime: '2026-11-23T22:05:00Z' };
        await Promise.reject(new Fault('corrupt', 'the manifest is cut short'));
      },
    };
    const { stdout, exitCode } = await run(['ls', 'latest', ...destination()], engine);
    expect(exitCode).toBe(13);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, fault: { code: 'corrupt' } });
  });

  it('prune: keep and remove, with what was removed', async () => {
    const nothing: PruneReport = { keep: pruneReport.keep, remove: [], objects: [], freedBytes: 0, warnings: [] };
    const first = await run(['prune', '--server', 's', ...destination()], { prune: () => Promise.resolve(pruneReport) });
    expect(JSON.parse(first.stdout)).toEqual({
      ...{ keep: pruneReport.keep, remove: pruneReport.remove, objects: pruneReport.objects, freedBytes: 2048 },
    });
    const second = await run(['prune', '--server', 's', ...destination()], { prune: () => Promise.resolve(nothing) });
    expect(JSON.parse(second.stdout)).toEqual({ keep: pruneReport.keep, remove: [] });
  });

  it('backup, restore and verify: the report as it stands', async () => {
    const folder = destination();
    expect(JSON.parse((await run(['backup', 'x', ...folder], { backup: () => Promise.resolve(backupReport) })).stdout)).toEqual(
      backupReport,
    );
    const restored = await run(['restore', 'a', '--target', 'b', ...folder], { restore: () => Promise.resolve(restoreReport) });
    // Where what is kept cannot be looked at, the restore has not failed for that.
    expect(JSON.parse(restored.stdout)).toEqual({ ...restoreReport, keptBytes: null });
    expect(JSON.parse((await run(['verify', ...folder], { verify: () => Promise.resolve(verifyReport) })).stdout)).toEqual(verifyReport);
  });

  it('every usage fault is one document too, with exit code 2', async () => {
    const wrong = [
      ['--json'],
      ['bakup', '--json'],
      ['backup', '--json'],
      ['backup', 'x', '--json'],
      ['backup', 'x', '-d', 'folder:/x', '--levle', '3', '--json'],
      ['backup', 'x', '-d', 'folder:/x', '--level', '20', '--json'],
      ['backup', 'x', '-d', 'folder:/x', '--format', 'tar', '--json'],
      ['backup', 'x', '-d', 'folder:/x', '--preset', 'nope', '--json'],
      ['backup', 'x', 'y', '-d', 'folder:/x', '--json'],
      ['backup', 'x', '-d', '/plain', '--json'],
      ['snapshots', '-d', 'memory:', '--json'],
      ['prune', '-d', 'folder:/x', '--json'],
      ['prune', '-d', 'folder:/x', '--server', 's', '--keep-last', 'many', '--json'],
      ['prune', '-d', 'folder:/x', '--server', 's', '--zone', 'Mars/Olympus', '--json'],
      ['restore', 'latest', '-d', 'folder:/x', '--json'],
      ['undo', '--target', '/x', '--list', '--discard', '--json'],
      ['retention', '--json'],
      ['retention', 'simulate', '--now', 'later', '--json'],
      ['help', 'nothing', '--json'],
      ['backup', 'caf\ufffd', '-d', 'folder:/x', '--json'],
      ['kit', '-d', 'folder:/x', '-o', '-', '--json'],
      ['open', '/x', '-o', '-', '--json'],
    ];
    for (const args of wrong) {
      const { stdout, stderr, exitCode } = await run(args);
      expect({ args, exitCode, stderr }).toEqual({ args, exitCode: 2, stderr: '' });
      const document: unknown = JSON.parse(stdout);
      expect(document).toMatchObject({ ok: false, fault: { code: 'config-invalid', context: {} } });
      for (const member of ['message', 'next', 'operation'])
        expect({ args, document }).toHaveProperty(`document.fault.${member}`, expect.stringMatching(/./));
    }
  });
});

describe('exit codes', () => {
  const table: Readonly<Record<FaultCode, number>> = {
    ...{ 'not-found': 10, 'already-exists': 1, 'range-invalid': 1, unauthenticated: 1, 'sign-in-needed': 1, 'permission-denied': 1 },
    'quota-exceeded': 1,
    ...{ 'rate-limited': 1, unavailable: 1, timeout: 1, 'wrong-password': 12, 'wrong-key': 12, corrupt: 13, truncated: 13 },
    ...{ 'source-changed': 1, 'disk-full': 1, locked: 11, 'config-invalid': 2, unsupported: 1, cancelled: 130, unexpected: 1 },
  };

  it('of an existing kit file: the step names what to change, not another computer', async () => {
    const file = join(tempFolder(), 'kit.txt');
    writeFileSync(file, 'mine');
    const { stderr, exitCode } = await run(['kit', '-d', `folder:${tempFolder()}`, '-o', file]);
    expect([exitCode, stderr.split('\n')]).toEqual([
      1,
      [`holdfast: ${file} exists already and is not replaced`, 'Next: Choose another name with -o, or move the existing file away.', ''],
    ]);
  });

  it.each(faultCodes)('of the fault %s, as text and as JSON', async (code) => {
    const fault = new Fault(code, 'the thing itself', { operation: 'doing', context: { key: 'k' }, cause: new Error('the reason below') });
    const engine: Calls = { snapshots: () => Promise.reject(fault) };
    const place = `folder:${tempFolder()}`;
    const text = await run(['snapshots', '-d', place], engine);
    expect(text.exitCode).toBe(table[code]);
    expect(text.stdout).toBe('');
    expect(text.stderr).toMatch(/^holdfast: the thing itself\nCause: the reason below\nNext: .+\n$/);
    const json = await run(['snapshots', '-d', place, '--json'], engine);
    expect(json.exitCode).toBe(table[code]);
    expect(json.stderr).toBe('');
    expect(JSON.parse(json.stdout)).toEqual({
      ok: false,
      fault: { code, message: 'the thing itself', operation: 'doing', context: { key: 'k' }, next: expect.stringMatching(/./) as string },
    });
  });

  it('3 for warnings, 0 for mere notes', async () => {
    const place = `folder:${tempFolder()}`;
    const finish = (warnings: BackupReport['warnings']) =>
      run(['backup', 'x', '-d', place], { backup: () => Promise.resolve({ ...backupReport, warnings }) });
    const noted = await finish([{ code: 'special', message: 'a socket is left out', path: 's\u001b.sock', level: 'note' }]);
    expect(noted.exitCode).toBe(0);
    expect(noted.stderr).toBe('Note: s\\x1b.sock: a socket is left out\n');
    // A short name may well stand in the message by chance.
    for (const path of ['f', 'read']) {
      const warned = await finish([{ code: 'unreadable', message: 'could not be read (EACCES)', path }]);
      expect(warned.exitCode).toBe(3);
      expect(warned.stderr).toBe(`Warning: ${path}: could not be read (EACCES)\n`);
    }
  });

  it('lists fifty warnings, those that count first, and counts the rest', async () => {
    const notes = Array.from({ length: 100 }, () => ({ code: 'special', message: 'note', level: 'note' }) as const);
    const warnings = [...notes, { code: 'grew', message: 'the one that counts' } as const];
    const engine: Calls = { backup: () => Promise.resolve({ ...backupReport, warnings }) };
    const lines = (await run(['backup', 'x', '-d', `folder:${tempFolder()}`], engine)).stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(51);
    expect(lines[0]).toBe('Warning: the one that counts');
    expect(lines[50]).toMatch(/51 more.*--json/);
  });

  it.each([
    [{ files: 2, parts: 0, bytes: 2048 }, '2 files, 2.0 KiB of it were there already and were copied; 500 B were fetched.'],
    [
      { files: 2, parts: 1, bytes: 2048 },
      '2 files and parts of 1 file, 2.0 KiB of it were there already and were copied; 500 B were fetched.',
    ],
    [{ files: 0, parts: 3, bytes: 2048 }, 'parts of 3 files, 2.0 KiB of it were there already and were copied; 500 B were fetched.'],
    [{ files: 0, parts: 0, bytes: 0 }, null],
  ])('restore says what the target held already: %j', async (fromTarget, line) => {
    const restored = await run(['restore', 'one', '--target', 't', '-d', `folder:${tempFolder()}`], {
      restore: () => Promise.resolve({ ...restoreReport, fromTarget }),
    });
    const said = restored.stdout.split('\n').filter((one) => one.includes('there already'));
    expect(said).toEqual(line === null ? [] : [line]);
  });

  it('13 for damage that verify finds, 3 for damage that a salvage leaves out', async () => {
    const files = [{ path: 'world/\u001b[31mr.mca', ranges: [[0, 4096] as const] }];
    const damage = [{ snapshot: 'one', object: 's/one.holdfast', kind: 'corrupt', message: 'chunk 7', range: [100, 50] as const, files }];
    const found = await run(['verify', '-d', `folder:${tempFolder()}`], {
      verify: () => Promise.resolve({ ...verifyReport, snapshots: [{ id: 'one', server: 's', ok: false, files: 1, bytes: 1 }], damage }),
    });
    expect(found.exitCode).toBe(13);
    expect(found.stdout).toContain('one: s/one.holdfast, bytes 100 to 149: corrupt: chunk 7');
    expect(found.stdout).toContain('world/\\x1b[31mr.mca: bytes 0 to 4,095 are lost');
    const salvaged = await run(['restore', 'one', '--target', 't', '--salvage', '-d', `folder:${tempFolder()}`], {
      restore: () => Promise.resolve({ ...restoreReport, damaged: files }),
    });
    expect(salvaged.exitCode).toBe(3);
    expect(salvaged.stderr).toContain('world/\\x1b[31mr.mca: bytes 0 to 4,095 are lost');
  });

  it('130 for whatever breaks after Ctrl-C', async () => {
    const stop = new AbortController();
    const engine: Calls = {
      snapshots: (_, __, { signal }) => {
        stop.abort();
        return Promise.reject(new Fault('unavailable', `broken by ${String(signal?.aborted)}`));
      },
    };
    const { exitCode, stderr } = await run(['snapshots', '-d', `folder:${tempFolder()}`], engine, { signal: stop.signal });
    expect(exitCode).toBe(130);
    expect(stderr).toContain('Cause: broken by true');
  });

  it('0 for help and version on standard output, 2 for no command on standard error', async () => {
    const version = await run(['--version']);
    expect(version).toMatchObject({ exitCode: 0, stdout: '9.9.9\n', stderr: '' });
    for (const args of [['--help'], ['help'], ['help', 'exit-codes'], ['help', 'retention', 'simulate'], ['backup', '--help']]) {
      const help = await run(args);
      expect(help).toMatchObject({ exitCode: 0, stderr: '' });
      expect(help.stdout.length).toBeGreaterThan(100);
    }
    const nothing = await run([]);
    expect(nothing).toMatchObject({ exitCode: 2, stdout: '' });
    expect(nothing.stderr).toContain('Usage: holdfast');
  });
});

describe('for people', () => {
  it('snapshots: what each run added, and what it shares', async () => {
    const [first, next]: readonly SnapshotRow[] = [
      { ...row, storedBytes: 3 * 2 ** 30 },
      { ...row, id: 'b', storedBytes: 5 * 2 ** 20, sharedBytes: 3 * 2 ** 30 },
    ];
    const engine: Calls = { snapshots: () => Promise.resolve([first, next].filter((one) => one !== undefined)) };
    const { stdout } = await run(['snapshots', '-d', `folder:${tempFolder()}`], engine);
    expect(
      stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => line.split(/ {2,}/).slice(-4, -1)),
    ).toEqual([
      ['SIZE', 'ADDED', 'SHARES'],
      ['10 B', '3.0 GiB', '–'],
      ['10 B', '5.0 MiB', '3.0 GiB'],
    ]);
    expect(JSON.parse((await run(['snapshots', '-d', `folder:${tempFolder()}`, '--json'], engine)).stdout)).toMatchObject([
      { storedBytes: 3 * 2 ** 30, sharedBytes: 0 },
      { storedBytes: 5 * 2 ** 20, sharedBytes: 3 * 2 ** 30 },
    ]);
  });

  it('snapshots: an aligned table in local time', async () => {
    const other: SnapshotRow = {
      ...row,
      sharedBytes: null,
      id: 'longer-id',
      server: 'x\u001b[2J',
      files: null,
      bytes: null,
      complete: false,
      format: 'classic',
      problem: 'no manifest',
    };
    const { stdout } = await run(
      ['snapshots', '-d', `folder:${tempFolder()}`],
      { snapshots: () => Promise.resolve([row, other]) },
      { zone: 'Europe/Berlin' },
    );
    expect(stdout.split('\n')).toEqual([
      'SNAPSHOT   SERVER    TIME                 FILES  SIZE  ADDED  SHARES  STATE',
      'a          survival  2026-11-23 23:05:00      3  10 B   99 B       –  complete',
      'longer-id  x\\x1b[2J  2026-11-23 23:05:00      ?     ?   99 B       ?  incomplete, classic, no manifest',
      '',
    ]);
  });

  it('ls: modes, sizes, links', async () => {
    const engine: Calls = {
      list: () =>
        rows(
          { path: '.', type: 'directory', size: 0, mode: 0o1777, mtime: '2026-11-23T22:05:00Z' },
          { path: 'a\nb', type: 'file', size: 1536, mode: 0o4755, mtime: '2026-11-23T22:05:00Z' },
          { path: 'l', type: 'symlink', size: 0, mode: 0o777, mtime: '2026-11-23T22:05:00Z', target: '\u001b]0;x' },
        ),
    };
    const { stdout } = await run(['ls', 'latest', '-d', `folder:${tempFolder()}`], engine);
    expect(stdout.split('\n')).toEqual([
      'drwxrwxrwt              2026-11-23 22:05:00  .',
      '-rwsr-xr-x     1.5 KiB  2026-11-23 22:05:00  a\\x0ab',
      'lrwxrwxrwx              2026-11-23 22:05:00  l -> \\x1b]0;x',
      '',
    ]);
  });

  it('modes as ls(1) shows them', () => {
    expect(modeText({ type: 'file', mode: 0o4644 })).toBe('-rwSr--r--');
    expect(modeText({ type: 'file', mode: 0o2010 })).toBe('------s---');
    expect(modeText({ type: 'directory', mode: 0o1000 })).toBe('d--------T');
  });

  it('backup: what was done, or that nothing was', async () => {
    const place = `folder:${tempFolder()}`;
    const written = await run(['backup', 'x', '-d', place], { backup: () => Promise.resolve(backupReport) });
    expect(written.stdout).toBe(
      'Snapshot 20261123T220500Z-k3v9qa of survival: 1,204 files, 312.0 MiB; stored as 97.3 MiB in 1 archive (12 s, 25.4 MiB/s)\n',
    );
    const unchanged = await run(['backup', 'x', '-d', place], {
      backup: () => Promise.resolve({ ...backupReport, outcome: 'unchanged' as const }),
    });
    expect(unchanged.stdout).toMatch(/^Nothing has changed since snapshot .*--force/);
  });

  it('colours only on a terminal that wants them', async () => {
    const engine: Calls = { verify: () => Promise.resolve(verifyReport) };
    const args = ['verify', '-d', `folder:${tempFolder()}`];
    expect((await run(args, engine)).stdout).not.toContain('\u001b');
    expect((await run(args, engine, { stdoutIsTTY: true })).stdout).toContain('\u001b[32mok');
    expect((await run(args, engine, { stdoutIsTTY: true, env: { ...env, NO_COLOR: '1' } })).stdout).not.toContain('\u001b');
    expect((await run(args, engine, { stdoutIsTTY: true, env: { ...env, TERM: 'dumb' } })).stdout).not.toContain('\u001b');
  });

  it('a stack only when asked for', async () => {
    const engine: Calls = { snapshots: () => Promise.reject(new Error('odd')) };
    const args = ['snapshots', '-d', `folder:${tempFolder()}`];
    expect((await run(args, engine)).stderr).not.toContain('cli-commands.test.ts');
    expect((await run(args, engine, { env: { ...env, HOLDFAST_DEBUG: '1' } })).stderr).toContain('cli-commands.test.ts');
  });

  it('a mistyped command gets a suggestion and the help to run', async () => {
    const { stderr } = await run(['bakup', 'x']);
    expect(stderr).toMatch(/unknown command 'bakup'.*backup/);
    expect((await run(['backup', 'x'])).stderr).toContain('Next: Run: holdfast backup --help');
  });
});

describe('retention simulate', () => {
  const times = '2026-11-23T22:05:00Z\n# a remark\n\n2026-11-22T22:05:00Z\n2026-11-22T21:00:00+01:00\n';

  it('decides for times on standard input', async () => {
    const { stdout, exitCode } = await run(['retention', 'simulate', '--keep-last', '1', '--zone', 'UTC', '--json'], {}, { stdin: times });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      keep: [{ id: 'line 1', time: '2026-11-23T22:05:00Z', reasons: ['last snapshot'] }],
      remove: [
        { id: 'line 4', time: '2026-11-22T22:05:00Z' },
        { id: 'line 5', time: '2026-11-22T20:00:00Z' },
      ],
    });
  });

  it('counts days in the zone that is given', async () => {
    const late = '2026-11-23T22:30:00Z\n2026-11-23T23:30:00Z\n2026-11-24T00:30:00Z\n';
    const kept = async (zone: string): Promise<number> => {
      const { stdout } = await run(
        ['retention', 'simulate', '--keep-daily', '9', '--zone', zone, '--json', '--now', '2026-12-01'],
        {},
        { stdin: late },
      );
      return (JSON.parse(stdout) as { keep: unknown[] }).keep.length;
    };
    expect(await kept('UTC')).toBe(3);
    expect(await kept('Asia/Tokyo')).toBe(2);
  });

  it('prints one line a time, newest first, and the rule in words', async () => {
    const { stdout, stderr } = await run(['retention', 'simulate', '--keep-last', '1'], {}, { stdin: times, zone: 'Europe/Berlin' });
    expect(stdout.split('\n')).toEqual([
      'keep    2026-11-23 23:05:00  line 1  last snapshot',
      'remove  2026-11-22 23:05:00  line 4',
      'remove  2026-11-22 21:00:00  line 5',
      '',
    ]);
    expect(stderr).toContain('Keeps the last snapshot.');
  });

  it('names the line that is no time', async () => {
    const { exitCode, stderr } = await run(
      ['retention', 'simulate', '--keep-last', '1'],
      {},
      { stdin: '2026-11-23T22:05:00Z\n30 February\n' },
    );
    expect(exitCode).toBe(2);
    expect(stderr).toContain('line 2');
  });
});
