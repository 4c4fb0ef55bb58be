import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { differences, seeTree } from '../support/compare-trees.ts';
import { isRoot, nobody, Workshop } from '../support/run-holdfast.ts';
import { buildOddTree } from '../support/trees.ts';

const shop = new Workshop('tree');

describe('a folder with everything that Linux allows', () => {
  it.each([1, 2])('comes back as it was, in many volumes (tree %i)', async (seed) => {
    const source = shop.path(`odd-${seed}`);
    buildOddTree(source, { seed, asRoot: isRoot });
    const backup = await shop.backup(source, ['--volume-size', '6M']);
    expect(backup.code, backup.stderr + backup.stdout).toBe(0);
    const warnings = (backup.value as { warnings: { path: string; code: string; level: string }[] }).warnings;
    expect(warnings.map(({ path, code, level }) => [path, code, level])).toEqual([
      ...(isRoot ? [['special/device', 'special', 'note']] : []),
      ['special/pipe', 'special', 'note'],
      ['special/socket', 'special', 'note'],
    ]);
    const verified = await shop.verify(['latest', '--server', `odd-${seed}`]);
    expect(verified.code, verified.stdout).toBe(0);
    const target = shop.path(`back-${seed}`);
    const restored = await shop.restore(target, ['--server', `odd-${seed}`]);
    expect(restored.code, restored.stdout).toBe(0);
    expect(differences(seeTree(source, { owners: isRoot }), seeTree(target, { owners: isRoot }))).toEqual([]);
  });

  it.skipIf(!isRoot)('comes back to a user without any power, but for the owners', async () => {
    const source = shop.path('as-nobody');
    buildOddTree(source, { seed: 3, asRoot: false });
    const place = shop.path('nobody');
    mkdirSync(place);
    shop.giveTo(nobody, source, place);
    const own = { uid: nobody };
    const backup = await shop.run(['backup', source, '-d', `folder:${place}/backups`, '--volume-size', '6M'], own);
    expect(backup.code, backup.stderr + backup.stdout).toBe(0);
    const target = `${place}/target`;
    const restored = await shop.run(['restore', 'latest', '-d', `folder:${place}/backups`, '--target', target], own);
    expect(restored.code, restored.stdout).toBe(0);
    expect(differences(seeTree(source, { owners: true }), seeTree(target, { owners: true }))).toEqual([]);
    shop.giveTo(0);
  });
});
