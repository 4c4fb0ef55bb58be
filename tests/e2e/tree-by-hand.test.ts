import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seeTree, type SeenEntry } from '../support/compare-trees.ts';
import { flipped, manifestLines } from '../support/damage.ts';
import { contents, password } from '../support/engine-on-memory.ts';
import { anHourLater } from '../support/incremental.ts';
import { hasOpener, opener, systemPython, writeObjects } from '../support/other-readers.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mib = 2 ** 20;

/** Changes a file in place, as a database does. */
function patch(file: string, at: number, bytes: Uint8Array): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

/** What happens to the folder between two runs; the first one begins with what is there. */
function rounds(source: string): readonly (() => void)[] {
  const at = (name: string): string => join(source, name);
  return [
    () => {
      mkdirSync(at('world'));
      writeFileSync(at('world/db'), noise(1, 11 * mib));
      writeFileSync(at('log'), noise(2, 9 * mib));
      writeFileSync(at('region'), noise(3, 200_000));
      writeFileSync(at('small'), 'small');
      linkSync(at('world/db'), at('db by another name'));
      const handle = openSync(at('holes'), 'w');
      ftruncateSync(handle, 40 * mib);
      writeSync(handle, noise(4, 3 * mib), 0, 3 * mib, 20 * mib);
      closeSync(handle);
    },
    () => {
      patch(at('world/db'), 5 * mib + 7, noise(5, 5000));
      patch(at('log'), 9 * mib, noise(6, mib + 3));
      patch(at('holes'), 30 * mib, noise(7, 100));
    },
    () => {
      renameSync(at('log'), at('log.1'));
      writeFileSync(at('log'), noise(8, 9 * mib));
      renameSync(at('world'), at('moved'));
      copyFileSync(at('region'), at('region again'));
      patch(at('moved/db'), 0, noise(9, 10));
      patch(at('moved/db'), 11 * mib - 5, noise(10, 2 * mib));
    },
    () => {
      patch(at('log.1'), 3 * mib, noise(11, 3 * mib));
      rmSync(at('db by another name'));
      linkSync(at('holes'), at('moved/holes'));
      linkSync(at('region again'), at('third name'));
      const handle = openSync(at('log'), 'r+');
      ftruncateSync(handle, 8 * mib + 1);
      closeSync(handle);
    },
  ];
}

test.skipIf(!hasOpener)(
  'tree.py builds every snapshot of files that were changed in place, appended to, moved, linked and have holes, byte for byte',
  { timeout: 600_000 },
  async () => {
    const source = tempFolder();
    const one = anHourLater();
    const taken: { readonly id: string; readonly tree: Map<string, SeenEntry> }[] = [];
    for (const happen of rounds(source)) {
      happen();
      const { id } = await one.backup(source, { volumeSize: 8 * mib });
      taken.push({ id, tree: seeTree(source, { owners: false }) });
    }
    const objects = await contents(one.backend);
    const place = writeObjects(tempFolder(), objects);
    const build = (id: string): { readonly status: number | null; readonly said: string; readonly tree: string } => {
      const tree = join(tempFolder(), 'tree');
      writeFileSync(join(place, 'password'), password);
      const args = [opener.replace(/open\.py$/, 'tree.py'), join(place, 'survival', `${id}.manifest`), '-o', tree];
      const { status, stderr } = spawnSync(systemPython, [...args, '--password-file', join(place, 'password')], { encoding: 'utf8' });
      return { status, said: stderr, tree };
    };
    for (const { id, tree } of taken) {
      const built = build(id);
      expect([id, built.status], built.said).toEqual([id, 0]);
      expect([id, seeTree(built.tree, { owners: false })]).toEqual([id, tree]);
    }

    // The last one rests on archives of all four runs, and files lie to and fro in them.
    const last = await manifestLines(one, objects.get(`survival/${taken.at(-1)?.id}.manifest`) ?? Buffer.alloc(0));
    const idsOf = (keys: readonly string[]): Set<string> => new Set(keys.map((key) => key.slice(0, key.indexOf('.'))));
    expect(idsOf(last.header.archives.map(({ key }) => key)).size).toBe(4);
    const keysOf = (path: string): string[] =>
      (last.entries.find((entry) => entry.path === path)?.extents ?? []).map(([archive]) => last.header.archives[archive]?.key ?? '');
    expect(idsOf(keysOf('moved/db')).size).toBe(3);
    expect(idsOf(keysOf('log.1')).size).toBe(3);

    // One altered byte in the oldest archive that holds a piece of the database: named, and not passed off as the file.
    const [key = ''] = keysOf('moved/db').filter((archive) => archive.includes(taken[0]?.id ?? ''));
    writeFileSync(join(place, key), flipped(objects.get(key) ?? Buffer.alloc(0), 200));
    const damaged = build(taken.at(-1)?.id ?? '');
    expect([damaged.status, damaged.said]).toEqual([13, expect.stringMatching(/^lost: /m)]);
  },
);
