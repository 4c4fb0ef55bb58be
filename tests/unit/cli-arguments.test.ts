import { describe, expect, it } from 'vitest';
import { commandNames } from '../../main/headless/command-groups.ts';
import type { PruneReport, VerifyReport } from '../../main/contract/reports.ts';
import { runWith, type FakeHostOptions, type FinishedRun } from '../support/cli-host.ts';
import { tempFolder } from '../support/temp-folder.ts';

const env = { HOLDFAST_PASSWORD: 'a long enough password' };

function run(args: readonly string[], options: FakeHostOptions = {}): Promise<FinishedRun> {
  return runWith(args, { env, cwd: '/srv/survival', ...options });
}

describe('a variable of a script that was not set', () => {
  const place = 'folder:/nowhere';
  it.each([
    ['undo --discard', ['undo', '--target', '', '--discard']],
    ['undo', ['undo', '--target', '']],
    ['backup', ['backup', '', '-d', place]],
    ['restore', ['restore', 'latest', '--target', '', '--replace', '-d', place]],
    ['server add', ['server', 'add', 'Survival', '', '--to', 'nas']],
    ['kit', ['kit', '-d', place, '-o', '']],
    ['open', ['open', '']],
  ])('%s: is refused, and does not mean the folder that somebody is in', async (_, args) => {
    // An engine that was asked for anything would say so, with another exit code.
    const { exitCode, stderr } = await run(args);
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toMatch(/(--target|FOLDER|FILE|--output) is empty; for the folder that you are in write \./);
  });

  it.each([
    ['backup', ['backup', '/srv/survival']],
    ['restore', ['restore', 'latest', '--target', '/srv/back']],
    ['prune', ['prune', '--keep-last', '1']],
  ])('%s --server: is refused, and names no server', async (_, args) => {
    const { exitCode, stderr } = await run([...args, '-d', place, '--server', '']);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("'--server <name>' argument '' is invalid. It is empty") as string]);
  });
});

describe('a current folder whose name is no UTF-8', () => {
  const cwd = '/srv/na\ufffdme';
  it.each([
    ['backup of it', ['backup', '.', '-d', 'folder:/nowhere']],
    ['a destination in it', ['snapshots', '-d', 'folder:here']],
    ['a password file in it', ['snapshots', '-d', 'folder:/', '--password-file', 'here']],
  ])('%s: is refused, and what it is shown as is not looked for', async (_, args) => {
    const { exitCode, stderr } = await run(args, { cwd });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('folder that you are in is not valid UTF-8') as string]);
  });

  it('stops nothing that is named from the root', async () => {
    const engine = { snapshots: () => Promise.resolve([]) };
    expect((await run(['snapshots', '-d', `folder:${tempFolder()}`], { cwd, engine })).exitCode).toBe(0);
  });
});

describe('prune', () => {
  it('prints times in the zone whose days it counted', async () => {
    const report: PruneReport = {
      keep: [{ id: 'a', time: '2026-11-23T22:05:00Z', reasons: ['daily snapshot'] }],
      ...{ remove: [], objects: [], freedBytes: 0, warnings: [] },
    };
    const args = ['prune', '-d', `folder:${tempFolder()}`, '--server', 's', '--keep-daily', '1'];
    const engine = { prune: () => Promise.resolve(report) };
    expect((await run([...args, '--zone', 'Asia/Tokyo'], { engine })).stdout).toContain('2026-11-24 07:05:00');
    expect((await run(args, { engine, zone: 'Europe/Berlin' })).stdout).toContain('2026-11-23 23:05:00');
  });
});

describe('retention simulate', () => {
  it('--now: what is dated later is in the future, whatever the clock says', async () => {
    const stdin = '2026-11-23T22:05:00Z\n2026-11-20T22:05:00Z\n2026-11-19T22:05:00Z\n';
    const args = ['retention', 'simulate', '--keep-last', '1', '--zone', 'UTC', '--json'];
    const kept = async (...more: readonly string[]): Promise<unknown> =>
      (JSON.parse((await run([...args, ...more], { stdin })).stdout) as { keep: unknown }).keep;
    expect(await kept()).toEqual([{ id: 'line 1', time: '2026-11-23T22:05:00Z', reasons: ['last snapshot'] }]);
    expect(await kept('--now', '2026-11-21T00:00:00Z')).toEqual([
      { id: 'line 1', time: '2026-11-23T22:05:00Z', reasons: ['dated in the future'] },
      { id: 'line 2', time: '2026-11-20T22:05:00Z', reasons: ['last snapshot'] },
    ]);
  });
});

describe('verify', () => {
  it('of damage outside of all snapshots: does not advise to salvage what is whole', async () => {
    const report: VerifyReport = {
      snapshots: [{ id: 'one', server: 's', ok: true, files: 1, bytes: 1 }],
      damage: [{ snapshot: 'destination', object: 'holdfast.vault', kind: 'vault', message: 'holdfast.vault is damaged', files: [] }],
      ...{ warnings: [], elapsedMs: 1 },
    };
    const { exitCode, stdout } = await run(['verify', '-d', `folder:${tempFolder()}`], {
      engine: { verify: () => Promise.resolve(report) },
    });
    expect(exitCode).toBe(13);
    expect(stdout).toContain('1 snapshot checked, no damage found in them');
    expect(stdout).toContain('repaired by the next backup');
    expect(stdout).not.toContain('--salvage');
  });

  it.each([
    {
      object: 's/one.holdfast',
      kind: 'corrupt',
      says: /brought back with: holdfast restore SNAPSHOT --salvage\.$/m,
      never: /holdfast open/,
    },
    { object: 's/one.manifest', kind: 'corrupt', says: /what can still be read of its list.*“holdfast open”/, never: /All that is whole/ },
    { object: 's/one.zip.zst.enc', kind: 'checksum', says: /Nothing comes back of a classic file/, never: /--salvage/ },
    { object: 's/one.manifest', kind: 'header', says: /--salvage\.$/m, never: /holdfast open/ },
  ])('of a damaged $object ($kind): says what helps there, and no more', async ({ object, kind, says, never }) => {
    const report: VerifyReport = {
      snapshots: [{ id: 'one', server: 's', ok: false, files: 0, bytes: 0 }],
      damage: [{ snapshot: 'one', object, kind, message: 'damaged', files: [] }],
      ...{ warnings: [], elapsedMs: 1 },
    };
    const { exitCode, stdout } = await run(['verify', '-d', `folder:${tempFolder()}`], {
      engine: { verify: () => Promise.resolve(report) },
    });
    expect(exitCode).toBe(13);
    expect(stdout).toMatch(says);
    expect(stdout).not.toMatch(never);
  });
});

describe('--recovery-key-file', () => {
  it('is taken by every command that takes a password for a backup place', async () => {
    const taking: string[] = [];
    for (const name of commandNames) {
      const { stdout } = await run([name, '--help']);
      if (!stdout.includes('-d, --destination')) continue;
      taking.push(name);
      expect(stdout, name).toContain('--recovery-key-file <file>');
    }
    expect(taking).toEqual(expect.arrayContaining(['backup', 'snapshots', 'ls', 'restore', 'verify', 'prune', 'pin', 'password', 'kit']));
  });
});
