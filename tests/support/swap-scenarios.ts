import { chmodSync, existsSync, linkSync, lutimesSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import type { FileCalls } from '../../main/adapters/files/file-calls.ts';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { createUndoTarget } from '../../main/adapters/files/undo.ts';
import type { PrepareRequest } from '../../main/engine/snapshots/restore-target.ts';

export const swapTime = Date.parse('2026-11-24T02:00:00Z');
const stamp = 1_700_000_000;
/** A name that is no UTF-8. */
const oddName = Buffer.from([0x6f, 0xff, 0x64]);

export const nobodyUsesIt = (): Promise<number> => Promise.resolve(0);

/** A server as it stands before a restore: text, links, odd names, closed folders, and things that a snapshot would leave out. */
export function makeOldServer(target: string): void {
  mkdirSync(`${target}/world/region`, { recursive: true });
  mkdirSync(`${target}/logs/old`, { recursive: true });
  mkdirSync(`${target}/closed`);
  file(`${target}/server.properties`, 'old properties');
  file(`${target}/world/level.dat`, 'old level');
  file(`${target}/world/region/r.0.0`, 'old region');
  file(`${target}/world/region/r.0.1`, 'a region made after the snapshot');
  file(`${target}/logs/latest.log`, 'log');
  file(`${target}/logs/old/1.log`, 'older log');
  file(`${target}/world/session.lock`, 'lock');
  file(`${target}/closed/inner`, 'inner');
  file(Buffer.concat([Buffer.from(`${target}/`), oddName]), 'odd');
  linkSync(`${target}/server.properties`, `${target}/same.properties`);
  symlinkSync('world', `${target}/map`);
  lutimesSync(`${target}/map`, stamp, stamp);
  chmodSync(`${target}/closed`, 0o555);
  chmodSync(target, 0o751);
}

/** What a restore builds: changed, added, missing, and with a file where a folder was. */
export function makeNewServer(dir: string): void {
  mkdirSync(`${dir}/world/region`, { recursive: true });
  mkdirSync(`${dir}/plugins/closed`, { recursive: true });
  file(`${dir}/server.properties`, 'new properties');
  file(`${dir}/world/level.dat`, 'new level');
  file(`${dir}/world/region/r.0.0`, 'new region');
  file(`${dir}/plugins/closed/p.jar`, 'jar');
  file(Buffer.concat([Buffer.from(`${dir}/`), oddName]), 'new odd');
  file(`${dir}/map`, 'a file now');
  chmodSync(`${dir}/plugins/closed`, 0o500);
}

/** Three paths of it, for a partial restore. */
export function makePart(dir: string): void {
  mkdirSync(`${dir}/world/region`, { recursive: true });
  mkdirSync(`${dir}/plugins`, { recursive: true });
  file(`${dir}/world/region/r.0.0`, 'new region');
  file(`${dir}/plugins/p.jar`, 'jar');
  file(`${dir}/server.properties`, 'new properties');
  file(Buffer.concat([Buffer.from(`${dir}/`), oddName]), 'new odd');
  file(`${dir}/map`, 'a file now');
}

function file(path: string | Buffer, text: string): void {
  writeFileSync(path, text);
  utimesSync(path, stamp, stamp);
}

export const excluded = (path: Buffer): boolean => /^logs$|session\.lock$/.test(path.toString());

export function request(target: string, changes: Partial<PrepareRequest> = {}): PrepareRequest {
  return {
    target,
    id: '20261123T220500Z-k3v9qa',
    replace: true,
    force: false,
    bytesNeeded: 1000,
    entriesNeeded: 10,
    partial: false,
    time: swapTime,
    ...changes,
  };
}

export interface Scenario {
  readonly name: string;
  /** What is there before the run that is killed. */
  setUp(target: string, calls: FileCalls): Promise<void>;
  /** The run that is killed. */
  run(target: string, calls: FileCalls): Promise<void>;
  /** The former content is kept, so that undo gives the old state again. */
  readonly undoable: boolean;
  readonly inside?: boolean;
  readonly linkCode?: string;
}

async function restoreWhole(target: string, calls: FileCalls, carry: boolean): Promise<void> {
  const staging = await createRestoreTargets({ calls, refuseWhenUsed: nobodyUsesIt }).prepare(request(target));
  makeNewServer(staging.dir);
  await staging.commit({ root: { mode: 0o700, uid: 0, gid: 0, mtimeNs: 1_600_000_000_000_000_000n }, carryOver: carry ? excluded : null });
}

async function restorePart(target: string, calls: FileCalls, exchange?: (path: Buffer) => boolean): Promise<void> {
  const staging = await createRestoreTargets({ calls, refuseWhenUsed: nobodyUsesIt }).prepare(request(target, { partial: true }));
  makePart(staging.dir);
  await staging.commit({ root: null, carryOver: excluded, ...(exchange === undefined ? {} : { exchange }) });
}

async function oldServer(target: string): Promise<void> {
  makeOldServer(target);
  await Promise.resolve();
}

const undoNow = async (target: string, calls: FileCalls): Promise<void> => {
  await createUndoTarget({ calls, refuseWhenUsed: nobodyUsesIt }).undo(target, { force: false, time: swapTime + 60_000 });
};

export const scenarios: readonly Scenario[] = [
  { name: 'whole swap', setUp: oldServer, run: (target, calls) => restoreWhole(target, calls, false), undoable: true },
  { name: 'whole swap with carry-over', setUp: oldServer, run: (target, calls) => restoreWhole(target, calls, true), undoable: true },
  {
    name: 'whole swap with carry-over by copies',
    setUp: oldServer,
    run: (target, calls) => restoreWhole(target, calls, true),
    undoable: true,
    linkCode: 'EPERM',
  },
  {
    name: 'swap of children with carry-over',
    setUp: oldServer,
    run: (target, calls) => restoreWhole(target, calls, true),
    undoable: true,
    inside: true,
  },
  { name: 'partial swap', setUp: oldServer, run: (target, calls) => restorePart(target, calls), undoable: true },
  {
    name: 'partial swap of a whole folder',
    setUp: oldServer,
    run: (target, calls) => restorePart(target, calls, (path) => path.toString() === 'world'),
    undoable: true,
  },
  { name: 'partial swap inside', setUp: oldServer, run: (target, calls) => restorePart(target, calls), undoable: true, inside: true },
  {
    name: 'undo of a whole swap',
    setUp: async (target, calls) => {
      makeOldServer(target);
      await restoreWhole(target, calls, true);
    },
    run: undoNow,
    undoable: true,
  },
  {
    name: 'undo of a swap of children',
    setUp: async (target, calls) => {
      makeOldServer(target);
      await restoreWhole(target, calls, true);
    },
    run: undoNow,
    undoable: true,
    inside: true,
  },
  {
    name: 'undo of a partial swap',
    setUp: async (target, calls) => {
      makeOldServer(target);
      await restorePart(target, calls);
    },
    run: undoNow,
    undoable: true,
  },
];

/** Names of ours that must be gone once nothing is under way. */
export function leftovers(home: string, target: string): readonly string[] {
  const left = (folder: string): string[] =>
    existsSync(folder) ? readdirSync(folder).filter((name) => /holdfast-(journal|restore)/.test(name)) : [];
  return [...left(home), ...left(target)];
}
