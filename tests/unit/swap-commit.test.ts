import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileCalls } from '../../main/adapters/files/file-calls.ts';
import { nodeFileCalls } from '../../main/adapters/files/file-calls.ts';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { createUndoTarget } from '../../main/adapters/files/undo.ts';
import type { Fault } from '../../main/contract/faults.ts';
import type { CommitOptions, Committed, PrepareRequest } from '../../main/engine/snapshots/restore-target.ts';
import { systemError } from '../support/swap-faults.ts';
import { excluded, makeNewServer, makeOldServer, makePart, nobodyUsesIt, request } from '../support/swap-scenarios.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { treeDigest } from '../support/tree-digest.ts';

const isRoot = process.getuid?.() === 0;
const root = { mode: 0o705, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mtimeNs: 1_600_000_000_123_456_789n };
const nothing: CommitOptions = { root, carryOver: null };
const beforePath = (target: string): string => `${target}.before-20261124T020000Z`;

interface Run extends Partial<PrepareRequest> {
  readonly calls?: FileCalls;
}

async function restore(target: string, build: (dir: string) => void, options: CommitOptions = nothing, run: Run = {}): Promise<Committed> {
  const { calls, ...changes } = run;
  const targets = createRestoreTargets({ refuseWhenUsed: nobodyUsesIt, ...(calls === undefined ? {} : { calls }) });
  const staging = await targets.prepare(request(target, changes));
  build(staging.dir);
  return await staging.commit(options);
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work;
  } catch (error) {
    return error as Fault;
  }
  throw new Error('it was not refused');
}

function server(): { home: string; target: string; old: string } {
  const home = tempFolder();
  const target = join(home, 'srv');
  makeOldServer(target);
  return { home, target, old: treeDigest(target) };
}

describe('the whole folder', () => {
  test('the staged tree takes the place; the former content lies beside, untouched, name for name', async () => {
    const { home, target, old } = server();
    const committed = await restore(target, makeNewServer);
    expect(committed).toEqual({ before: beforePath(target), carriedOver: 0, notes: [] });
    expect(treeDigest(beforePath(target))).toBe(old);
    const expected = join(home, 'expected');
    mkdirSync(expected);
    makeNewServer(expected);
    expect(treeDigest(target)).toBe(treeDigest(expected));
  });

  test('mode and owner of the former folder win, the time is the snapshot’s to the nanosecond', async () => {
    const { target } = server();
    chmodSync(target, 0o2751);
    if (isRoot) chownSync(target, 1234, 4321);
    await restore(target, makeNewServer);
    const now = lstatSync(target, { bigint: true });
    expect(now.mode & 0o7777n).toBe(0o2751n);
    expect([now.uid, now.gid]).toEqual(isRoot ? [1234n, 4321n] : [BigInt(root.uid), BigInt(root.gid)]);
    expect(now.mtimeNs).toBe(root.mtimeNs);
  });

  test('a target that was not there gets the snapshot’s own mode, and has no former content', async () => {
    const home = tempFolder();
    const target = join(home, 'not/yet/srv');
    expect((await restore(target, makeNewServer)).before).toBeNull();
    expect(lstatSync(target).mode & 0o7777).toBe(0o705);
    expect(readdirSync(join(home, 'not/yet'))).toEqual(['srv']);
  });

  test('an empty target leaves no former content either', async () => {
    const home = tempFolder();
    mkdirSync(join(home, 'srv'));
    expect((await restore(join(home, 'srv'), makeNewServer)).before).toBeNull();
    expect(readdirSync(home)).toEqual(['srv']);
  });

  test('two restores in one second keep two former contents', async () => {
    const { target, old } = server();
    await restore(target, makeNewServer);
    const second = await restore(target, (dir) => writeFileSync(join(dir, 'third'), ''));
    expect(second.before).toBe(`${beforePath(target)}-2`);
    expect(treeDigest(beforePath(target))).toBe(old);
    expect(readdirSync(target)).toEqual(['third']);
  });

  test('something that appears at the target between the two renames is set aside, not overwritten', async () => {
    const { home, target, old } = server();
    const calls: FileCalls = {
      ...nodeFileCalls,
      rename: async (from, to) => {
        await nodeFileCalls.rename(from, to);
        // As a service manager would, that finds its folder gone.
        if (from.toString() === target && to.toString() === beforePath(target)) makeOldServer(target);
      },
    };
    const committed = await restore(target, makeNewServer, nothing, { calls });
    expect(committed.notes.join()).toContain(`${beforePath(target)}-found-1`);
    expect(treeDigest(`${beforePath(target)}-found-1`)).toBe(old);
    expect(treeDigest(beforePath(target))).toBe(old);
    expect(existsSync(join(target, 'plugins'))).toBe(true);
    expect(readdirSync(home)).not.toContain('.srv.holdfast-journal');
  });

  test('where the second rename fails, the first is taken back and the fault says what stood in the way', async () => {
    const { home, target, old } = server();
    const inode = lstatSync(target).ino;
    const calls: FileCalls = {
      ...nodeFileCalls,
      rename: (from, to) =>
        from.toString().includes('holdfast-restore') && to.toString() === target
          ? Promise.reject(systemError('EXDEV', 'cross-device link not permitted'))
          : nodeFileCalls.rename(from, to),
    };
    const fault = await faultOf(restore(target, makeNewServer, nothing, { calls }));
    expect(fault.code).toBe('unsupported');
    expect(treeDigest(target)).toBe(old);
    expect(lstatSync(target).ino).toBe(inode);
    expect(readdirSync(home)).toEqual(['srv']);
  });
});

describe('what the snapshot had excluded', () => {
  const carry: CommitOptions = { root, carryOver: excluded };

  test('is in the new tree and in the former one, as the same file, with folders made like the old ones', async () => {
    const { target, old } = server();
    chmodSync(join(target, 'logs/old'), 0o750);
    lutimesSync(join(target, 'logs/old'), 1_500_000_000, 1_500_000_000);
    const committed = await restore(target, makeNewServer, carry);
    expect(committed.carriedOver).toBe(3);
    expect(lstatSync(join(target, 'logs/old/1.log')).ino).toBe(lstatSync(join(beforePath(target), 'logs/old/1.log')).ino);
    expect(lstatSync(join(target, 'logs/old')).mode & 0o7777).toBe(0o750);
    expect(lstatSync(join(target, 'logs/old')).mtimeMs).toBe(1_500_000_000_000);
    expect(existsSync(join(target, 'same.properties'))).toBe(false);
    expect(treeDigest(beforePath(target))).toBe(old.replace('/logs/old 40755', '/logs/old 40750'));
  });

  test('does not change the times of restored folders it is put into', async () => {
    const { target } = server();
    const time = 1_234_567_890_123_456_789n;
    await restore(
      target,
      (dir) => {
        makeNewServer(dir);
        spawnSync('touch', ['-d', '2009-02-13T23:31:30.123456789Z', join(dir, 'world')]);
      },
      carry,
    );
    expect(existsSync(join(target, 'world/session.lock'))).toBe(true);
    expect(lstatSync(join(target, 'world'), { bigint: true }).mtimeNs).toBe(time);
  });

  test('gives way to what the snapshot does hold, and says where it cannot go', async () => {
    const { target } = server();
    const committed = await restore(
      target,
      (dir) => {
        mkdirSync(join(dir, 'logs'));
        writeFileSync(join(dir, 'logs/latest.log'), 'of the snapshot');
        writeFileSync(join(dir, 'world'), 'a file where a folder was');
      },
      carry,
    );
    expect(readFileSync(join(target, 'logs/latest.log'), 'utf8')).toBe('of the snapshot');
    expect(readFileSync(join(target, 'logs/old/1.log'), 'utf8')).toBe('older log');
    expect(committed.notes).toEqual(['world is no folder in the snapshot: excluded files in it stay with the former content']);
  });

  test('needs folders that the snapshot does not have: they come with mode and time of the old ones', async () => {
    const { target } = server();
    mkdirSync(join(target, 'cache/deep'), { recursive: true });
    writeFileSync(join(target, 'cache/deep/session.lock'), '');
    writeFileSync(join(target, 'cache/other'), '');
    symlinkSync('nowhere', join(target, 'cache/deep/link.session.lock'));
    chmodSync(join(target, 'cache'), 0o711);
    utimesSync(join(target, 'cache'), 1_400_000_000, 1_400_000_000);
    await restore(target, makeNewServer, carry);
    expect(readdirSync(join(target, 'cache/deep')).sort()).toEqual(['link.session.lock', 'session.lock']);
    expect(existsSync(join(target, 'cache/other'))).toBe(false);
    expect([lstatSync(join(target, 'cache')).mode & 0o7777, lstatSync(join(target, 'cache')).mtimeMs]).toEqual([0o711, 1_400_000_000_000]);
  });

  test('a named pipe, which no snapshot can hold, comes along', async () => {
    const { target } = server();
    expect(spawnSync('mkfifo', [join(target, 'world/console')]).status).toBe(0);
    await restore(target, makeNewServer, carry);
    expect(lstatSync(join(target, 'world/console')).isFIFO()).toBe(true);
  });

  test('is copied with mode, owner and time where links are not possible', async () => {
    const { target } = server();
    chmodSync(join(target, 'logs/latest.log'), 0o640);
    if (isRoot) chownSync(join(target, 'logs/latest.log'), 7, 8);
    symlinkSync('latest.log', join(target, 'logs/now'));
    const calls: FileCalls = { ...nodeFileCalls, link: () => Promise.reject(systemError('EPERM', 'operation not permitted')) };
    const expected = treeDigest(join(target, 'logs'));
    const committed = await restore(target, makeNewServer, carry, { calls });
    expect(committed.carriedOver).toBe(4);
    expect(treeDigest(join(target, 'logs'))).toBe(expected);
    expect(lstatSync(join(target, 'logs/latest.log')).nlink).toBe(1);
  });
});

describe('parts of a folder', () => {
  const partial = { partial: true };

  test('only the staged paths change; everything else is the very same file', async () => {
    const { home, target } = server();
    const untouched = ['world/level.dat', 'world/region/r.0.1', 'logs/latest.log', 'closed/inner', 'world', '.'];
    const inodes = untouched.map((name) => lstatSync(join(target, name)).ino);
    const before = readFileSync(join(target, 'server.properties'), 'utf8');
    const committed = await restore(target, makePart, { root: null, carryOver: null }, partial);
    expect(untouched.map((name) => lstatSync(join(target, name)).ino)).toEqual(inodes);
    expect(readFileSync(join(target, 'server.properties'), 'utf8')).toBe('new properties');
    expect(readFileSync(join(target, 'plugins/p.jar'), 'utf8')).toBe('jar');
    expect(committed.before).toBe(beforePath(target));
    expect(readFileSync(join(beforePath(target), 'server.properties'), 'utf8')).toBe(before);
    expect(readdirSync(join(beforePath(target), 'world/region'))).toEqual(['r.0.0']);
    expect(readdirSync(home).filter((name) => name.includes('restore'))).toEqual([]);
  });

  test('a folder to be exchanged loses what came after the snapshot and keeps what the snapshot had excluded', async () => {
    const { target } = server();
    const options = { root: null, carryOver: excluded, exchange: (path: Buffer): boolean => path.toString() === 'world' };
    await restore(target, makePart, options, partial);
    expect(readdirSync(join(target, 'world')).sort()).toEqual(['region', 'session.lock']);
    expect(readdirSync(join(target, 'world/region'))).toEqual(['r.0.0']);
    expect(readdirSync(join(beforePath(target), 'world/region')).sort()).toEqual(['r.0.0', 'r.0.1']);
    expect(existsSync(join(target, 'logs/latest.log'))).toBe(true);
  });

  test('into a target that is empty or missing the parts become the whole', async () => {
    const home = tempFolder();
    const committed = await restore(join(home, 'srv'), makePart, nothing, partial);
    expect(committed.before).toBeNull();
    expect(readFileSync(join(home, 'srv/plugins/p.jar'), 'utf8')).toBe('jar');
    expect(lstatSync(join(home, 'srv')).mode & 0o777).toBe(0o705);
  });

  test('a link planted where a folder was does not lead the exchange out of the target; all is taken back', async () => {
    const { home, target } = server();
    const outside = join(home, 'outside');
    mkdirSync(join(outside, 'region'), { recursive: true });
    writeFileSync(join(outside, 'region/r.0.0'), 'not yours');
    let planted = false;
    const calls: FileCalls = {
      ...nodeFileCalls,
      rename: async (from, to) => {
        await nodeFileCalls.rename(from, to);
        // Just as the exchange begins.
        if (!planted && to.toString().endsWith('holdfast-journal') && readFileSync(to, 'utf8').includes('"between"')) {
          planted = true;
          renameSync(join(target, 'world'), join(home, 'moved'));
          symlinkSync(outside, join(target, 'world'));
        }
      },
    };
    const fault = await faultOf(restore(target, makePart, { root: null, carryOver: null }, { ...partial, calls }));
    expect(fault.code).toBe('source-changed');
    expect(readFileSync(join(outside, 'region/r.0.0'), 'utf8')).toBe('not yours');
    expect(readdirSync(join(outside, 'region'))).toEqual(['r.0.0']);
    expect(readFileSync(join(target, 'server.properties'), 'utf8')).toBe('old properties');
    expect(existsSync(join(target, 'plugins'))).toBe(false);
    expect(readdirSync(home).sort()).toEqual(['moved', 'outside', 'srv']);
  });
});

describe('inside the target', () => {
  const inside: FileCalls = { ...nodeFileCalls, mayChange: (path) => Promise.resolve(path.toString().endsWith('/srv')) };

  test('the folder itself stays, with its mode; its time is the snapshot’s; earlier former contents are left alone', async () => {
    const { home, target, old } = server();
    const inode = statSync(target).ino;
    const first = await restore(target, makeNewServer, nothing, { calls: inside });
    await restore(target, (dir) => writeFileSync(join(dir, 'third'), ''), nothing, { calls: inside });
    expect(first.before).toBe(join(target, '.holdfast-before-20261124T020000Z'));
    expect(treeDigest(join(target, '.holdfast-before-20261124T020000Z'))).toBe(old);
    expect(readdirSync(target).filter((name) => !name.startsWith('.holdfast-'))).toEqual(['third']);
    const now = statSync(target, { bigint: true });
    expect([Number(now.ino), now.mode & 0o7777n, now.mtimeNs]).toEqual([inode, 0o751n, root.mtimeNs]);
    expect(readdirSync(home)).toEqual(['srv']);
    const undo = createUndoTarget({ refuseWhenUsed: nobodyUsesIt });
    expect((await undo.list(target)).map((kept) => kept.before.slice(-2))).toEqual(['-2', '0Z']);
  });

  test('a snapshot that holds names of ours cannot touch what is kept under them, and this is said', async () => {
    const { target } = server();
    await restore(target, makeNewServer, nothing, { calls: inside });
    const committed = await restore(
      target,
      (dir) => {
        mkdirSync(join(dir, '.holdfast-before-20261124T020000Z'));
        writeFileSync(join(dir, 'file'), '');
      },
      nothing,
      { calls: inside },
    );
    expect(committed.notes.join()).toContain('.holdfast-before-20261124T020000Z was left out');
    expect(existsSync(join(target, '.holdfast-before-20261124T020000Z/world/level.dat'))).toBe(true);
  });
});
