import {
  appendFileSync,
  chmodSync,
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import type { BackupReport } from '../../main/contract/reports.ts';
import type { ManifestEntry } from '../../main/engine/snapshots/manifest-entry.ts';
import { openManifest } from '../../main/engine/snapshots/manifest-store.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { exitCodeOfReport } from '../../main/headless/exit-codes.ts';
import { differences, seeTree } from '../support/compare-trees.ts';
import type { World } from '../support/engine-on-memory.ts';
import { anHourLater } from '../support/incremental.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { TreeMaker } from '../support/trees.ts';

/** More than all threads together hold: while the destination takes nothing, the reader is somewhere inside this file. */
const large = 72 * 2 ** 20;

/** A destination that calls `meanwhile` before it takes the first part of an archive. */
function pausing(meanwhile: () => void): Backend {
  const inner = memoryBackend();
  let paused = false;
  return {
    ...inner,
    beginUpload: async (key, options) => {
      const upload = await inner.beginUpload(key, options);
      if (!key.endsWith('.holdfast') || paused) return upload;
      return {
        token: upload.token,
        complete: () => upload.complete(),
        abort: () => upload.abort(),
        writePart: async (index, bytes, call) => {
          if (!paused) {
            paused = true;
            meanwhile();
          }
          return upload.writePart(index, bytes, call);
        },
      };
    },
  };
}

interface Outcome {
  readonly report: BackupReport;
  readonly entries: ReadonlyMap<string, ManifestEntry>;
  readonly warned: readonly { code: string; path?: string }[];
  /** Where it was restored to. */
  readonly back: string;
  readonly world: World;
}

async function backedUpWhile(source: string, meanwhile: () => void): Promise<Outcome> {
  // To it all files are an hour old: what it marks racy has moved under it.
  const one = anHourLater({ backend: pausing(meanwhile) });
  const report = await one.backup(source, { level: 1 });
  const vault = await loadVault(one.backend, { credentials: one.destination.credentials });
  const manifest = await openManifest(one.host.zstd, one.backend, vault, `survival/${report.id}.manifest`, {});
  const entries = new Map<string, ManifestEntry>();
  for await (const entry of manifest.entries()) entries.set(entry.path, entry);
  const back = join(tempFolder(), 'back');
  expect(await one.verify()).toMatchObject({ damage: [] });
  await one.restore(back);
  return { report, entries, warned: manifest.header.warnings, back, world: one };
}

function newSource(): { source: string; victim: string; first: Buffer } {
  const source = tempFolder();
  const tree = new TreeMaker(source, 1);
  tree.folder('a');
  tree.file('a/before', 1000);
  const first = tree.bytes(large);
  writeFileSync(tree.at('b victim'), first);
  tree.file('c after', 5000);
  tree.folder('d');
  tree.file('d/later', 100);
  return { source, victim: join(source, 'b victim'), first };
}

/** Everything but the file in question came back as it was. */
function restIsWhole(source: string, back: string): void {
  const leaveOut = (path: string): boolean => path === 'b victim' || path === '.';
  expect(differences(seeTree(source, { owners: false }), seeTree(back, { owners: false }), { leaveOut })).toEqual([]);
}

const racyOnes = (entries: Outcome['entries']): readonly string[] =>
  [...entries.values()].filter(({ racy }) => racy === true).map(({ path }) => path);

describe('a file that changes while it is read', () => {
  it('grows: what was there at first is kept, and it is said', async () => {
    const { source, victim, first } = newSource();
    const { report, entries, warned, back, world: one } = await backedUpWhile(source, () => appendFileSync(victim, 'and more'));
    expect(warned).toMatchObject([{ code: 'grew', path: 'b victim' }]);
    expect(report.warnings).toMatchObject([{ code: 'grew', path: 'b victim' }]);
    expect(exitCodeOfReport(report)).toBe(3);
    expect(entries.get('b victim')).toMatchObject({ size: large, racy: true });
    expect(readFileSync(join(back, 'b victim')).equals(first)).toBe(true);
    restIsWhole(source, back);
    // And the next run does not rest on it, although nothing changes any more.
    expect(await one.backup(source)).toMatchObject({ outcome: 'written', warnings: [] });
  });

  it('shrinks: what could be read is kept', async () => {
    const { source, victim, first } = newSource();
    const cut = large - 5_000_000;
    const { report, entries, warned, back } = await backedUpWhile(source, () => {
      const handle = openSync(victim, 'r+');
      ftruncateSync(handle, cut);
      closeSync(handle);
    });
    expect(warned).toMatchObject([{ code: 'shrank', path: 'b victim' }]);
    expect(exitCodeOfReport(report)).toBe(3);
    expect(entries.get('b victim')).toMatchObject({ size: cut, racy: true });
    expect(readFileSync(join(back, 'b victim')).equals(first.subarray(0, cut))).toBe(true);
    restIsWhole(source, back);
  });

  it('shrinks to nothing: what had been read by then is kept', async () => {
    const { source, victim, first } = newSource();
    const { entries, warned, back } = await backedUpWhile(source, () => writeFileSync(victim, ''));
    expect(warned).toMatchObject([{ code: 'shrank', path: 'b victim' }]);
    const { size } = lstatSync(join(back, 'b victim'));
    expect(entries.get('b victim')?.size).toBe(size);
    expect(racyOnes(entries)).toEqual(['b victim']);
    expect(size).toBeGreaterThan(0);
    expect(size).toBeLessThan(large);
    expect(readFileSync(join(back, 'b victim')).equals(first.subarray(0, size))).toBe(true);
    restIsWhole(source, back);
  });

  it('is written to in place: it is told to be no state it ever had, and still restored as recorded', async () => {
    const { source, victim, first } = newSource();
    const mark = Buffer.from('written while it was read');
    const { entries, warned, back } = await backedUpWhile(source, () => {
      const handle = openSync(victim, 'r+');
      writeSync(handle, mark, 0, mark.length, 0);
      writeSync(handle, mark, 0, mark.length, large - 1000);
      closeSync(handle);
    });
    expect(warned).toMatchObject([{ code: 'changed', path: 'b victim' }]);
    expect(entries.get('b victim')).toMatchObject({ size: large, racy: true });
    // The front had been read, the end had not.
    const mixed = Buffer.from(first);
    mark.copy(mixed, large - 1000);
    expect(readFileSync(join(back, 'b victim')).equals(mixed)).toBe(true);
    restIsWhole(source, back);
  });

  it('vanishes, or another takes its name: what was opened is read to its end', async () => {
    for (const replace of [false, true]) {
      const { source, victim, first } = newSource();
      const { entries, back } = await backedUpWhile(source, () => {
        if (!replace) return rmSync(victim);
        writeFileSync(join(source, 'e new'), 'another');
        renameSync(join(source, 'e new'), victim);
      });
      expect(entries.get('b victim')).toMatchObject({ size: large, racy: true });
      expect(racyOnes(entries)).toEqual(['b victim']);
      expect(readFileSync(join(back, 'b victim')).equals(first)).toBe(true);
      restIsWhole(source, back);
    }
  });
});

describe('what comes later in the walk', () => {
  it('may vanish, appear, turn into something else or change its permissions meanwhile', async () => {
    const { source } = newSource();
    const tree = new TreeMaker(source, 2);
    tree.folder('x gone folder');
    tree.file('x gone folder/inside', 10);
    tree.file('y becomes a folder', 10);
    tree.file('z becomes a link', 10);
    const { report, warned, entries, back } = await backedUpWhile(source, () => {
      rmSync(join(source, 'c after'));
      rmSync(join(source, 'x gone folder'), { recursive: true });
      rmSync(join(source, 'y becomes a folder'));
      mkdirSync(join(source, 'y becomes a folder'));
      rmSync(join(source, 'z becomes a link'));
      symlinkSync('/etc/hostname', join(source, 'z becomes a link'));
      chmodSync(join(source, 'd', 'later'), 0o640);
    });
    expect(warned.map(({ code, path }) => `${code}: ${path ?? ''}`)).toEqual([
      'vanished: c after',
      'vanished: x gone folder',
      'changed: y becomes a folder',
      'changed: z becomes a link',
    ]);
    expect(exitCodeOfReport(report)).toBe(3);
    expect([...entries.keys()]).toEqual(['.', 'a', 'a/before', 'b victim', 'd', 'd/later']);
    expect(entries.get('d/later')?.mode).toBe(0o640);
    expect(lstatSync(join(back, 'd', 'later')).mode & 0o777).toBe(0o640);
  });
});
