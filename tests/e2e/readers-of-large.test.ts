import { closeSync, existsSync, ftruncateSync, lstatSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differences, seeTree } from '../support/compare-trees.ts';
import { archiveOpened, hasTracer, python3, zipReaders } from '../support/other-readers.ts';
import { isRoot, Workshop } from '../support/run-holdfast.ts';

const shop = new Workshop('large');
const slow = process.env['HOLDFAST_SLOW'] === '1';
const gib = 2 ** 30;

describe.skipIf(!hasTracer)('more than a ZIP without ZIP64 can say', () => {
  it('66,000 entries', { timeout: 600_000 }, async () => {
    const source = shop.path('many');
    for (let folder = 0; folder < 66; folder += 1) {
      mkdirSync(join(source, String(folder)), { recursive: true });
      for (let file = 0; file < 1000; file += 1)
        writeFileSync(join(source, String(folder), `f${file}`), file % 10 === 0 ? `${folder}/${file}` : '');
    }
    const backup = await shop.backup(source);
    expect(backup.value, backup.stdout).toMatchObject({ outcome: 'written', files: 66_000 });
    expect((await shop.verify(['latest', '--server', 'many'])).code).toBe(0);
    const archives = shop.objects('many').filter((name) => name.endsWith('.holdfast'));
    expect(archives).toHaveLength(1);
    const zip = archiveOpened(shop, `many/${archives[0]}`);
    for (const [reader, read] of Object.entries(zipReaders)) expect(read(zip), reader).toBe('');
    expect(python3('import sys,zipfile; print(len(zipfile.ZipFile(sys.argv[1]).namelist()))', zip).trim()).toBe('66066');
    const target = shop.path('many-back');
    expect((await shop.restore(target, ['--server', 'many'])).code).toBe(0);
    expect(differences(seeTree(source, { owners: isRoot }), seeTree(target, { owners: isRoot }))).toEqual([]);
  });
});

describe.skipIf(!hasTracer)('files and archives beyond 4 GiB, and holes in them', () => {
  it.each([
    ['as one entry', '16G', 4 * gib + 5000, 1],
    // As long again: only where that is wanted (HOLDFAST_SLOW=1).
    ...(slow ? ([['in pieces', '1G', 5 * gib, 6]] as const) : []),
  ] as const)('%s', { timeout: 600_000 }, async (_what, volume, size, archives) => {
    const server = `huge-${volume.toLowerCase()}`;
    const source = shop.path(server);
    mkdirSync(source);
    writeHollow(join(source, 'b image'), size);
    // Behind 4 GiB in the ZIP, too.
    writeFileSync(join(source, 'c small'), 'behind it');
    const backup = await shop.backup(source, ['--volume-size', volume]);
    expect(backup.code, backup.stdout).toBe(0);
    const names = shop.objects(server).filter((name) => name.endsWith('.holdfast'));
    expect(names.length).toBe(archives);
    expect((await shop.verify(['latest', '--server', server])).code).toBe(0);
    for (const name of names) {
      const zip = archiveOpened(shop, `${server}/${name}`);
      expect(existsSync(zip)).toBe(true);
      for (const [reader, read] of Object.entries(zipReaders)) expect(read(zip), `${reader} on ${name}`).toBe('');
    }
    const target = shop.path(`${server}-back`);
    expect((await shop.restore(target, ['--server', server])).code).toBe(0);
    expect(differences(seeTree(source, { owners: isRoot }), seeTree(target, { owners: isRoot }))).toEqual([]);
    expect(lstatSync(join(target, 'b image')).blocks * 512).toBeLessThan(2 ** 20);
  });
});

function writeHollow(path: string, size: number): void {
  const handle = openSync(path, 'w');
  for (const at of [0, Math.floor(size / 3) + 1, size - 10]) writeSync(handle, `data at ${at}`.slice(0, 10), at);
  ftruncateSync(handle, size);
  closeSync(handle);
}
