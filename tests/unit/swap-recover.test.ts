import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { createUndoTarget } from '../../main/adapters/files/undo.ts';
import type { Fault } from '../../main/contract/faults.ts';
import { faultyCalls } from '../support/swap-faults.ts';
import { makeNewServer, makeOldServer, nobodyUsesIt, request, swapTime } from '../support/swap-scenarios.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { treeDigest } from '../support/tree-digest.ts';

const targets = createRestoreTargets({ refuseWhenUsed: nobodyUsesIt });

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work;
  } catch (error) {
    return error as Fault;
  }
  throw new Error('it was not refused');
}

/** A whole swap, killed at the first of its calls for which `stop` holds. */
async function killedWhen(stop: (home: string) => boolean, makeLink = false): Promise<{ home: string; target: string; old: string }> {
  for (let at = 1; at < 100; at++) {
    const home = tempFolder();
    const target = join(home, 'srv');
    makeOldServer(target);
    if (makeLink) symlinkSync('srv', join(home, 'alias'));
    const old = treeDigest(target);
    const calls = faultyCalls({ at, kind: 'dead' });
    try {
      const staging = await createRestoreTargets({ calls, refuseWhenUsed: nobodyUsesIt }).prepare(request(target));
      makeNewServer(staging.dir);
      await staging.commit({ root: null, carryOver: null });
    } catch (error) {
      if (calls.hit() === null) throw error;
    }
    if (stop(home)) return { home, target, old };
  }
  throw new Error('it never came to that');
}

const betweenRenames = (home: string): boolean => !existsSync(join(home, 'srv'));

test('a target missing between two renames is found again, also through a link that leads nowhere meanwhile', async () => {
  const { home, target } = await killedWhen(betweenRenames, true);
  const words = await targets.recover(join(home, 'alias'));
  expect(words).toEqual([
    `a restore of 20261123T220500Z-k3v9qa into ${target} was cut short during the exchange; it is complete now; the former content lies at ${target}.before-20261124T020000Z`,
  ]);
  expect(readFileSync(join(target, 'server.properties'), 'utf8')).toBe('new properties');
  expect(await targets.recover(target)).toEqual([]);
});

test('a killed restore that had exchanged nothing is thrown away, staging and all', async () => {
  const { home, target, old } = await killedWhen((folder) => readdirSync(folder).some((name) => name.includes('restore-')));
  const [words] = await targets.recover(target);
  expect(words).toContain('before it changed anything');
  expect(readdirSync(home)).toEqual(['srv']);
  expect(treeDigest(target)).toBe(old);
});

test('prepare and undo finish it first, by themselves', async () => {
  const first = await killedWhen(betweenRenames);
  const staging = await targets.prepare(request(first.target, { id: 'next' }));
  expect(staging.notes.join()).toContain('it is complete now');
  await staging.abort();
  const second = await killedWhen(betweenRenames);
  const undone = await createUndoTarget({ refuseWhenUsed: nobodyUsesIt }).undo(second.target, { force: false, time: swapTime + 1 });
  expect(undone.notes.join()).toContain('it is complete now');
  expect(treeDigest(second.target)).toBe(second.old);
});

test('what appeared at the target after the kill is set aside when recovery finishes', async () => {
  const { target } = await killedWhen(betweenRenames);
  mkdirSync(target);
  writeFileSync(join(target, 'eula.txt'), 'a server that started in an empty folder');
  const words = await targets.recover(target);
  expect(words.join()).toContain('-found-1');
  expect(readFileSync(`${target}.before-20261124T020000Z-found-1/eula.txt`, 'utf8')).toContain('empty folder');
  expect(readFileSync(join(target, 'server.properties'), 'utf8')).toBe('new properties');
});

test('a staged tree that vanished after the kill: the former content comes back into its place', async () => {
  const { home, target, old } = await killedWhen(betweenRenames);
  rmSync(join(home, '.srv.holdfast-restore-20261123T220500Z-k3v9qa'), { recursive: true });
  expect((await targets.recover(target)).join()).toContain('the former content is back');
  expect(treeDigest(target)).toBe(old);
  expect(readdirSync(home)).toEqual(['srv']);
});

test('a journal that cannot be read, or leads elsewhere, is refused and nothing is touched', async () => {
  const home = tempFolder();
  const target = join(home, 'srv');
  makeOldServer(target);
  mkdirSync(join(home, 'precious'));
  const good = {
    holdfast: 'restore-journal',
    version: 1,
    state: 'old',
    id: 'x',
    operation: 'restore',
    staging: 's',
    record: 'r',
    consumes: null,
  };
  const cases: [string, string][] = [
    ['', 'corrupt'],
    ['{"holdfast":"restore-jou', 'corrupt'],
    ['[]', 'corrupt'],
    [JSON.stringify({ ...good, staging: '../precious' }), 'corrupt'],
    [JSON.stringify({ ...good, staging: '..' }), 'corrupt'],
    [JSON.stringify({ ...good, record: '/etc/passwd' }), 'corrupt'],
    [JSON.stringify({ ...good, staging: '' }), 'corrupt'],
    [JSON.stringify({ ...good, state: 'half' }), 'corrupt'],
    [JSON.stringify({ ...good, version: 2 }), 'unsupported'],
    [' '.repeat(100_000), 'corrupt'],
  ];
  const digest = treeDigest(home, (name) => name.includes('journal'));
  for (const [text, code] of cases) {
    writeFileSync(join(home, '.srv.holdfast-journal'), text);
    expect((await faultOf(targets.recover(target))).code, text.slice(0, 120)).toBe(code);
    expect(treeDigest(home, (name) => name.includes('journal'))).toBe(digest);
  }
  unlinkSync(join(home, '.srv.holdfast-journal'));
  symlinkSync('/etc/hostname', join(home, '.srv.holdfast-journal'));
  expect((await faultOf(targets.recover(target))).code).toBe('corrupt');
});

test('a record that names paths outside the target moves nothing', async () => {
  const { home, target } = await killedWhen(betweenRenames);
  const record = join(home, '.srv.holdfast-undo-20261124T020000Z');
  const [head] = readFileSync(record, 'utf8').split('\n');
  writeFileSync(join(home, 'precious'), 'p');
  const entries = { ...(JSON.parse(head ?? '') as object), mode: 'entries' };
  for (const path of ['../precious', 'a/../../precious', '/etc', 'a//b', './a', 'a\u0000b']) {
    writeFileSync(record, `${JSON.stringify(entries)}\n${JSON.stringify({ path, old: true, new: false })}\n{"slots":1}\n`);
    expect((await faultOf(targets.recover(target))).code, path).toBe('corrupt');
    expect(readFileSync(join(home, 'precious'), 'utf8')).toBe('p');
  }
  for (const text of ['', `${head}\n`, `${head}\n{"slots":1}\n`, `${head}\nnonsense\n`]) {
    writeFileSync(record, text);
    expect((await faultOf(targets.recover(target))).code, text).toBe('corrupt');
  }
  expect(existsSync(`${target}.before-20261124T020000Z/world/level.dat`)).toBe(true);
});

test('a restore under way in another process is not recovered from under it; once that is dead it is', async () => {
  const home = tempFolder();
  const target = join(home, 'srv');
  makeOldServer(target);
  const driver = join(import.meta.dirname, '../support/swap-driver.ts');
  const child = spawn(process.execPath, [driver, 'hold', target], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise((done) => child.stdout.once('data', done));
    expect((await faultOf(targets.recover(target))).code).toBe('locked');
    expect((await faultOf(targets.prepare(request(target)))).code).toBe('locked');
    expect(lstatSync(join(home, '.srv.holdfast-restore-20261123T220500Z-k3v9qa')).isDirectory()).toBe(true);
    const dead = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await dead;
  } finally {
    child.kill('SIGKILL');
  }
  expect(await targets.recover(target)).toHaveLength(1);
  expect(readdirSync(home)).toEqual(['srv']);
});
