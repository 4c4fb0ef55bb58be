import { closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differences, seeTree } from '../support/compare-trees.ts';
import { isRoot, Workshop } from '../support/run-holdfast.ts';
import { buildEndlessPath } from '../support/trees.ts';

const shop = new Workshop('endless');
const levels = 30;

/** A folder's innermost one, through an open handle: no system call takes its path. */
function atBottom<Result>(root: string, names: readonly string[], act: (path: string) => Result): Result {
  let handle = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  for (const name of names) {
    const next = openSync(`/proc/self/fd/${handle}/${name}`, constants.O_RDONLY | constants.O_DIRECTORY);
    closeSync(handle);
    handle = next;
  }
  try {
    return act(`/proc/self/fd/${handle}`);
  } finally {
    closeSync(handle);
  }
}

describe('paths that are longer than any system call takes', () => {
  const source = shop.path('world');
  const where = shop.path('restored');
  const target = join(where, 'world');
  let names: readonly string[] = [];
  const sameAsSource = (): unknown => differences(seeTree(source, { owners: isRoot }), seeTree(target, { owners: isRoot }));

  it('come back', async () => {
    mkdirSync(source);
    mkdirSync(where);
    names = buildEndlessPath(source, levels);
    const backup = await shop.backup(source, ['--exclude', '*.log']);
    expect(backup.code, backup.stdout).toBe(0);
    expect(backup.value).toMatchObject({ files: 2 });
    const restored = await shop.restore(target);
    expect(restored.code, restored.stdout).toBe(0);
    expect(sameAsSource()).toEqual([]);
  });

  it('are replaced, what was excluded there is carried over, and undo takes all of it back', async () => {
    atBottom(target, names, (bottom) => {
      writeFileSync(`${bottom}/server.log`, 'joined the game');
      writeFileSync(`${bottom}/bottom`, 'griefed');
    });
    const restored = await shop.restore(target, ['--replace']);
    expect(restored.code, restored.stdout).toBe(0);
    const read = (name: string): string => atBottom(target, names, (bottom) => readFileSync(`${bottom}/${name}`, 'utf8'));
    expect([read('bottom'), read('server.log')]).toEqual(['as deep as it gets', 'joined the game']);
    const kept = await shop.run(['undo', '--target', target, '--list', '--json']);
    expect(kept.code, kept.stdout).toBe(0);
    const undone = await shop.run(['undo', '--target', target, '--json']);
    expect(undone.code, undone.stdout).toBe(0);
    expect([read('bottom'), read('server.log')]).toEqual(['griefed', 'joined the game']);
  });

  it('leave with the former content that is discarded', async () => {
    const restored = await shop.restore(target, ['--replace']);
    expect(restored.code, restored.stdout).toBe(0);
    expect(readdirSync(where).length).toBeGreaterThan(1);
    const discarded = await shop.run(['undo', '--target', target, '--discard', '--json']);
    expect(discarded.code, discarded.stdout).toBe(0);
    expect(readdirSync(where)).toEqual(['world']);
  });

  it('leave with the staging folder of a restore that fails, whose fault is told', async () => {
    const [archive = ''] = shop.objects('world').filter((name) => name.endsWith('.holdfast'));
    const path = join(shop.place, 'world', archive);
    const bytes = readFileSync(path);
    bytes[200] = (bytes[200] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const elsewhere = shop.path('elsewhere');
    mkdirSync(elsewhere);
    const failed = await shop.restore(join(elsewhere, 'world'));
    expect([failed.code, failed.stdout.includes(archive)], failed.stdout).toEqual([13, true]);
    expect(readdirSync(elsewhere)).toEqual([]);
  });
});
