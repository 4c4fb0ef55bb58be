import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import type { RestoreReport, RestoreRequest } from '../../main/contract/reports.ts';
import { damagedWorld, filesIn, flipped, headSize, makeTree, manifestLines, sealedChunk } from '../support/damage.ts';
import type { ManifestLines } from '../support/damage.ts';
import { contents, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { seededNumbers } from '../support/seeded-random.ts';

let folder: string;
let source: string;
let whole: World;
let id: string;
let lines: ManifestLines;
let archives: readonly string[];
let manifest: string;
let runs = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-damage-'));
  source = join(folder, 'source');
  makeTree(source);
  whole = world();
  ({ id } = await whole.backup(source, { volumeSize: 7 * 2 ** 20 }));
  manifest = `survival/${id}.manifest`;
  const bytes = (await contents(whole.backend)).get(manifest) ?? Buffer.alloc(0);
  lines = await manifestLines(whole, bytes);
  archives = lines.header.archives.map(({ key }) => key);
  expect(archives.length).toBeGreaterThanOrEqual(3);
  expect(bytes.length).toBeGreaterThan(headSize + 2 * sealedChunk);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const volume = (index: number): string => archives[index] ?? '';
const nothing: string[] = [];
const all = { from: 0, to: Number.MAX_SAFE_INTEGER };

async function refused(act: Promise<unknown>): Promise<Fault> {
  const error: unknown = await act.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Fault);
  return error as Fault;
}

/** Restores into a new folder; when it fails, nothing may be there, not even the folder it worked in. */
async function restored(from: World, request: Partial<RestoreRequest> = {}): Promise<{ report: RestoreReport; out: string }> {
  const parent = join(folder, `run${(runs += 1)}`);
  const out = join(parent, 'out');
  try {
    return { report: await from.restore(out, request), out };
  } catch (error) {
    expect(existsSync(parent)).toBe(false);
    throw error;
  }
}

function filesOf(root: string, below = ''): string[] {
  return readdirSync(join(root, below), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesOf(root, join(below, entry.name)) : [join(below, entry.name)]))
    .sort();
}

/** Everything is there and as it was, but for exactly these files, which are not there at all. */
function expectAllBut(out: string, lost: readonly string[]): void {
  expect(filesOf(out)).toEqual(filesOf(source).filter((path) => !lost.includes(path)));
  for (const path of filesOf(out)) {
    const [was, is] = [lstatSync(join(source, path)), lstatSync(join(out, path))];
    expect([path, is.mode, is.mtimeMs, is.size]).toEqual([path, was.mode, was.mtimeMs, was.size]);
    if (is.isFile()) expect(readFileSync(join(out, path)).equals(readFileSync(join(source, path)))).toBe(true);
  }
}

interface Case {
  readonly name: string;
  readonly key: () => string;
  readonly change: (bytes: Buffer) => Buffer;
  /** Stored bytes that are wrong. */
  readonly hit: (size: number) => { from: number; to: number };
}

const at =
  (offset: number) =>
  (size: number): { from: number; to: number } => {
    const from = offset < 0 ? size + offset : offset;
    return { from, to: from + 1 };
  };
const flip = (name: string, index: number, offset: number, bits = 1): Case => ({
  name: `volume ${index}: ${name}`,
  key: () => volume(index),
  change: (bytes) => flipped(bytes, offset, bits),
  hit: at(offset),
});
const cut = (name: string, index: number, to: (size: number) => number): Case => ({
  name: `volume ${index}: ${name}`,
  key: () => volume(index),
  change: (bytes) => bytes.subarray(0, to(bytes.length)),
  hit: (size) => ({ from: to(size), to: size }),
});

test('a salvage that finds no file whole leaves the target alone, whatever folders and links it could make', async () => {
  const bare = join(folder, 'bare');
  mkdirSync(join(bare, 'world'), { recursive: true });
  writeFileSync(join(bare, 'world', 'level.dat'), 'blocks');
  symlinkSync('world/level.dat', join(bare, 'link'));
  const from = world();
  await from.backup(bare);
  const bad = await damagedWorld(from, (objects) => {
    for (const key of [...objects.keys()].filter((one) => /\.holdfast(\.sha256)?$/.test(one))) objects.delete(key);
  });
  const target = join(folder, 'live');
  mkdirSync(target);
  writeFileSync(join(target, 'level.dat'), 'in use');
  const fault = await refused(bad.restore(target, { salvage: true, replace: true }));
  expect([fault.code, fault.message]).toEqual(['corrupt', expect.stringContaining('world/level.dat') as string]);
  expect(readdirSync(folder).filter((name) => name.includes('live'))).toEqual(['live']);
  expect(readFileSync(join(target, 'level.dat'), 'utf8')).toBe('in use');
});

describe('a damaged chunk costs exactly the files that lie in it', () => {
  const cases: Case[] = [
    flip('first byte of the first chunk', 0, headSize),
    flip('tag of the first chunk', 0, headSize + sealedChunk - 1, 0x80),
    flip('a chunk in the middle', 1, headSize + 200 * sealedChunk + 5000),
    flip('a chunk in the large file', 2, headSize + 100 * sealedChunk, 0xff),
    flip('last byte, behind the seek table', 0, -1),
    flip('seek table', 1, -40),
    cut('cut at a chunk border', 1, (size) => headSize + Math.floor((size - headSize) / sealedChunk / 2) * sealedChunk),
    cut('cut inside a chunk', 0, (size) => size - 3 * sealedChunk - 77),
    cut('cut by one byte', 1, (size) => size - 1),
    cut('cut inside the salt', 1, () => 100),
    cut('cut inside the header', 0, () => 50),
    cut('emptied', 1, () => 0),
  ];
  test.each(cases)('$name', async ({ key, change, hit }) => {
    const name = key();
    const size = lines.header.archives.find((archive) => archive.key === name)?.size ?? 0;
    const { from, to } = hit(size);
    const lost = filesIn(lines, name, { from, to });
    const bad = await damagedWorld(whole, (objects) => objects.set(name, change(objects.get(name) ?? Buffer.alloc(0))));

    const report = await bad.verify();
    expect(report.snapshots).toMatchObject([{ id, ok: false }]);
    const damage = report.damage.filter(({ object }) => object === name);
    expect(damage.length).toBeGreaterThan(0);
    const ranges = damage.flatMap(({ range }) => (range === undefined ? [] : [range]));
    // A cut is found where the bytes end; everything else in the chunk that holds the wrong byte.
    const end = Math.max(from, 0);
    expect(ranges.some(([offset, length]) => offset <= end && end <= offset + Math.max(length, 0))).toBe(true);
    expect(report.damage.flatMap(({ files }) => files.map(({ path }) => path)).sort()).toEqual(lost);
    for (const { snapshot, message } of report.damage) expect([snapshot, message]).toEqual([id, expect.stringMatching(/./)]);

    const fault = await refused(restored(bad));
    expect(['corrupt', 'truncated']).toContain(fault.code);
    expect(fault.message).toContain(name);

    const { report: salvage, out } = await restored(bad, { salvage: true });
    expect(salvage.damaged.map(({ path }) => path).sort()).toEqual(lost);
    expect(salvage.warnings.some(({ message }) => message.includes(name))).toBe(true);
    expectAllBut(out, lost);
  });

  test('what of the large file is lost is said as a range of the file', async () => {
    const large = lines.entries.find(({ path }) => path === 'large');
    const [archive = 0, offset = 0, stored = 0, , length = 0] = large?.extents[1] ?? [];
    const before = large?.extents[0]?.[4] ?? 0;
    const place = headSize + Math.floor((offset + stored / 2) / 16_384) * sealedChunk;
    const bad = await damagedWorld(whole, (objects) =>
      objects.set(volume(archive), flipped(objects.get(volume(archive)) ?? Buffer.alloc(0), place)),
    );
    const { damage } = await bad.verify();
    expect(damage.flatMap(({ files }) => files)).toEqual([{ path: 'large', ranges: [[before, length]] }]);
  });

  test('two volumes damaged in random places: the lost files are those of both', async () => {
    const next = seededNumbers(41);
    const places = [0, 1, 2].map((index) => {
      const size = lines.header.archives[index]?.size ?? 0;
      return { key: volume(index), from: headSize + Math.floor(next() * (size - headSize)) };
    });
    const lost = [...new Set(places.flatMap(({ key, from }) => filesIn(lines, key, { from, to: from + 1 })))].sort();
    const bad = await damagedWorld(whole, (objects) => {
      for (const { key, from } of places) objects.set(key, flipped(objects.get(key) ?? Buffer.alloc(0), from));
    });
    const { report, out } = await restored(bad, { salvage: true });
    expect(report.damaged.map(({ path }) => path).sort()).toEqual(lost);
    expectAllBut(out, lost);
  });
});

describe('parts whose volume is whole come back whatever has become of another one', () => {
  const part = 'small/f7';
  const other = (): string => volume(lines.entries.find(({ path }) => path === 'large')?.extents[0]?.[0] ?? -1);
  const damages: readonly (readonly [string, (objects: Map<string, Buffer>, key: string) => unknown])[] = [
    ['gone', (objects, key) => objects.delete(key)],
    ['cut', (objects, key) => objects.set(key, (objects.get(key) ?? Buffer.alloc(0)).subarray(0, 200))],
    ['longer', (objects, key) => objects.set(key, Buffer.concat([objects.get(key) ?? Buffer.alloc(0), Buffer.from('x')]))],
  ];
  test.each(damages)('%s', async (_, damage) => {
    expect(filesIn(lines, other(), all)).not.toContain(part);
    const bad = await damagedWorld(whole, (objects) => damage(objects, other()));
    for (const salvage of [false, true]) {
      const { report, out } = await restored(bad, { include: [`/${part}`], salvage });
      expect(filesOf(out)).toEqual([part]);
      expect(report.damaged).toEqual([]);
      // Told, and no reason for another exit code than 0.
      expect(report.warnings).toMatchObject([{ level: 'note', message: expect.stringContaining(other()) as string }]);
    }
  });

  test('what lies in the one that is gone does not, and a salvage leaves it out', async () => {
    const bad = await damagedWorld(whole, (objects) => objects.delete(other()));
    const include = [`/${part}`, '/large'];
    const fault = await refused(restored(bad, { include }));
    expect([fault.code, fault.message]).toEqual(['corrupt', `${other()} is gone`]);
    const { report, out } = await restored(bad, { include, salvage: true });
    expect(filesOf(out)).toEqual([part]);
    expect(report.damaged.map(({ path }) => path)).toEqual(['large']);
    expect(report.warnings).toContainEqual({ code: 'damage', message: `${other()} is gone` });
  });
});

describe('a damaged head of an archive is repaired from the manifest', () => {
  const fields = [0, 7, 8, 9, 10, 12, 15, 16, 31, 32, 44, 75, 76, 91, 92, 115, 116, 147];
  test('verify names it whatever byte it is, and loses no file', async () => {
    // Three volumes at once: each must be named by itself.
    for (let start = 0; start < fields.length; start += 3) {
      const bad = await damagedWorld(whole, (objects) => {
        for (const [index, offset] of fields.slice(start, start + 3).entries()) {
          objects.set(volume(index), flipped(objects.get(volume(index)) ?? Buffer.alloc(0), offset, 0x10));
        }
      });
      const { damage } = await bad.verify();
      for (const key of archives.slice(0, 3)) {
        expect(damage.filter(({ object, kind }) => object === key && kind === 'header')).toMatchObject([
          { snapshot: id, range: [0, headSize] },
        ]);
      }
      expect(damage.flatMap(({ files }) => files)).toEqual(nothing);
    }
  });

  test('restore refuses bytes that are not those the manifest names, and salvage brings everything back and says so', async () => {
    const bad = await damagedWorld(whole, (objects) => objects.set(volume(1), flipped(objects.get(volume(1)) ?? Buffer.alloc(0), 60)));
    expect((await refused(restored(bad))).code).toBe('corrupt');
    const { report, out } = await restored(bad, { salvage: true });
    expect(report.damaged).toEqual([]);
    expect(report.warnings.map(({ message }) => message).join('\n')).toContain(volume(1));
    expectAllBut(out, nothing);
    const some = await restored(bad, { include: ['/middle0', '/small/f7'] });
    expect(filesOf(some.out)).toEqual(['middle0', 'small/f7']);
  });
});

describe('a damaged manifest', () => {
  test.each([0, 8, 9, 11, 13, 20, 40, 60, 80, 91])('its header, byte %i: repaired from the vault, and said', async (offset) => {
    const bad = await damagedWorld(whole, (objects) => objects.set(manifest, flipped(objects.get(manifest) ?? Buffer.alloc(0), offset)));
    expect((await bad.verify({ quick: true })).damage).toMatchObject([{ snapshot: id, object: manifest, kind: 'header' }]);
    expect(await bad.engine.snapshots(bad.destination, {}, {})).toMatchObject([{ id, complete: true }]);
    if (offset !== 60) return;
    const { report, out } = await restored(bad);
    expect(report.warnings).toMatchObject([{ code: 'header' }]);
    expectAllBut(out, nothing);
  });

  const size = (bytes: Buffer): number => bytes.length;
  const changes: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['salt', (bytes) => flipped(bytes, 92)],
    ['last byte of the salt', (bytes) => flipped(bytes, 115)],
    ['commitment', (bytes) => flipped(bytes, 116)],
    ['last byte of the commitment', (bytes) => flipped(bytes, 147, 0x80)],
    ['first line', (bytes) => flipped(bytes, headSize + 3)],
    ['an entry', (bytes) => flipped(bytes, headSize + sealedChunk + 900)],
    ['last byte', (bytes) => flipped(bytes, -1)],
    ['cut at a chunk border', (bytes) => bytes.subarray(0, headSize + sealedChunk)],
    ['cut inside a chunk', (bytes) => bytes.subarray(0, size(bytes) - 100)],
    ['cut inside the head', (bytes) => bytes.subarray(0, 120)],
    ['emptied', (bytes) => bytes.subarray(0, 0)],
    ['a byte behind it', (bytes) => Buffer.concat([bytes, Buffer.from('x')])],
    ['twice itself', (bytes) => Buffer.concat([bytes, bytes])],
  ];
  /** Some lines of entries come before the damage: a salvage goes by them. */
  const isReadableAhead = (name: string): boolean => ['last byte', 'cut inside a chunk', 'a byte behind it', 'twice itself'].includes(name);
  test.each(changes)(
    '%s: named by verify, refused by restore and by ls, salvaged as far as its lines can be read',
    async (name, change) => {
      const bad = await damagedWorld(whole, (objects) => objects.set(manifest, change(objects.get(manifest) ?? Buffer.alloc(0))));
      const { damage, snapshots } = await bad.verify();
      expect(snapshots).toMatchObject([{ id, ok: false }]);
      expect(damage).toMatchObject([{ snapshot: id, object: manifest, kind: expect.stringMatching(/^(corrupt|truncated)$/) as string }]);
      expect((await refused(restored(bad))).code).toMatch(/^(corrupt|truncated)$/);
      if (isReadableAhead(name)) {
        const { report, out } = await restored(bad, { salvage: true });
        expect(report.warnings.map(({ code }) => code)).toContain('manifest');
        expect([report.files > 0, report.files < lines.entries.length]).toEqual([true, true]);
        const there = filesOf(out);
        expectAllBut(
          out,
          filesOf(source).filter((path) => !there.includes(path)),
        );
      } else expect((await refused(restored(bad, { salvage: true }))).code).toMatch(/^(corrupt|truncated)$/);
      const read = async (): Promise<void> => {
        for await (const row of bad.engine.list(bad.destination, { snapshot: 'latest' }, {})) expect(row.path).toBeTypeOf('string');
      };
      expect((await refused(read())).code).toMatch(/^(corrupt|truncated)$/);
    },
  );
});

describe('objects in the wrong place', () => {
  let two: World;
  let second: string;
  beforeAll(async () => {
    two = world({ backend: (await damagedWorld(whole, () => undefined)).backend });
    ({ id: second } = await two.backup(source, { volumeSize: 7 * 2 ** 20, force: true, whole: 'always' }));
  });

  test('archives swapped between two snapshots are found, and nothing of them is taken for the other', async () => {
    const other = `survival/${second}.holdfast`;
    const bad = await damagedWorld(two, (objects) => {
      const [a, b] = [objects.get(volume(0)), objects.get(other)];
      if (a !== undefined && b !== undefined) objects.set(volume(0), b).set(other, a);
    });
    const { damage, snapshots } = await bad.verify();
    expect(snapshots.map(({ ok }) => ok)).toEqual([false, false]);
    expect(damage.some(({ object, snapshot }) => object === volume(0) && snapshot === id)).toBe(true);
    expect(damage.some(({ object, snapshot }) => object === other && snapshot === second)).toBe(true);
    expect((await refused(restored(bad, { snapshot: id }))).code).toMatch(/corrupt|truncated/);
    const { report, out } = await restored(bad, { snapshot: id, salvage: true });
    const size = lines.header.archives[0]?.size ?? 0;
    expect(report.damaged.map(({ path }) => path).sort()).toEqual(filesIn(lines, volume(0), { from: 0, to: size }));
    expectAllBut(
      out,
      report.damaged.map(({ path }) => path),
    );
  });

  test('a damaged newest snapshot is not replaced by an older one unasked; the fault names that one as a way out', async () => {
    const newest = `survival/${second}.holdfast`;
    const bad = await damagedWorld(two, (objects) => objects.set(newest, flipped(objects.get(newest) ?? Buffer.alloc(0), headSize + 50)));
    const fault = await refused(restored(bad));
    expect([fault.code, fault.context['next']]).toEqual(['corrupt', expect.stringContaining(id)]);
    const first = await refused(restored(await damagedWorld(whole, (objects) => objects.delete(volume(1)))));
    expect(first.context['next']).toBe('Bring back what is whole of it with “holdfast restore --salvage”.');
  });

  test.each(['another id', 'another server'])('a manifest under %s is misplaced', async (where) => {
    const copy = where === 'another id' ? `survival/${second}.manifest` : `creative/${id}.manifest`;
    const bad = await damagedWorld(two, (objects) => objects.set(copy, objects.get(manifest) ?? Buffer.alloc(0)));
    const { damage } = await bad.verify({ quick: true });
    expect(damage.find(({ object }) => object === copy)?.message).toContain('misplaced');
    const request = where === 'another id' ? { snapshot: second } : { snapshot: id, server: 'creative' };
    for (const salvage of [false, true]) {
      const fault = await refused(restored(bad, { ...request, salvage }));
      expect([fault.code, fault.message]).toEqual(['corrupt', expect.stringContaining('misplaced')]);
    }
  });

  test('an archive that is gone is damage of its snapshot, and its files alone are lost', async () => {
    const bad = await damagedWorld(whole, (objects) => objects.delete(volume(1)));
    const { damage } = await bad.verify();
    expect(damage.find(({ object, kind }) => object === volume(1) && kind === 'missing')).toMatchObject({ snapshot: id });
    const fault = await refused(restored(bad));
    expect([fault.code, fault.message]).toEqual(['corrupt', expect.stringContaining(volume(1))]);
    const { report, out } = await restored(bad, { salvage: true });
    const lost = filesIn(lines, volume(1), { from: 0, to: lines.header.archives[1]?.size ?? 0 });
    expect(report.damaged.map(({ path }) => path).sort()).toEqual(lost);
    expectAllBut(out, lost);
    expect(await bad.engine.snapshots(bad.destination, {}, {})).toMatchObject([{ id, complete: false }]);
  });

  test('bytes behind an archive are damage, and cost no file', async () => {
    const bad = await damagedWorld(whole, (objects) =>
      objects.set(volume(0), Buffer.concat([objects.get(volume(0)) ?? Buffer.alloc(0), Buffer.alloc(7)])),
    );
    expect((await bad.verify()).damage).toMatchObject([{ object: volume(0), kind: 'size' }]);
    expect((await refused(restored(bad))).code).toBe('corrupt');
    const { report, out } = await restored(bad, { salvage: true });
    expect([report.damaged, report.warnings.length]).toEqual([[], 1]);
    expectAllBut(out, nothing);
  });
});

describe('checksum files', () => {
  test('a missing one is a warning and stops nothing', async () => {
    const bad = await damagedWorld(whole, (objects) => objects.delete(`${volume(0)}.sha256`));
    const report = await bad.verify();
    expect([report.damage, report.warnings.map(({ message }) => message)]).toEqual([[], [`${volume(0)}.sha256 is missing`]]);
    const { report: back, out } = await restored(bad);
    expect(back.warnings).toMatchObject([{ code: 'checksum' }]);
    expectAllBut(out, nothing);
  });

  test('one with a CRLF is read as it is meant', async () => {
    const bad = await damagedWorld(whole, (objects) => {
      const key = `${volume(0)}.sha256`;
      objects.set(key, Buffer.from(objects.get(key)?.toString().replace('\n', '\r\n') ?? ''));
    });
    const report = await bad.verify({ quick: true });
    expect([report.damage, report.warnings]).toEqual([[], []]);
  });

  const changes: readonly (readonly [string, (line: Buffer) => Buffer])[] = [
    ['of other bytes', (line) => Buffer.concat([Buffer.from('0'.repeat(64)), line.subarray(64)])],
    ['of another file', (line) => Buffer.from(line.toString().replace('.holdfast', '.002.holdfast'))],
    ['with a flipped digit', (line) => flipped(line, 5, 0x40)],
    ['that is empty', () => Buffer.alloc(0)],
    ['of 5 MB', () => Buffer.alloc(5_000_000, 0x61)],
    ['with two lines', (line) => Buffer.concat([line, line])],
    ['with a byte order mark', (line) => Buffer.concat([Buffer.from('\ufeff'), line])],
  ];
  test.each(changes)('one %s is damage, named', async (_, change) => {
    const key = `${volume(0)}.sha256`;
    const bad = await damagedWorld(whole, (objects) => objects.set(key, change(objects.get(key) ?? Buffer.alloc(0))));
    expect((await bad.verify({ quick: true })).damage).toMatchObject([{ snapshot: id, object: key, kind: 'checksum' }]);
  });

  test('and a restore over one refuses, unless it is to bring back what is whole', async () => {
    const key = `${volume(0)}.sha256`;
    const bad = await damagedWorld(whole, (objects) => objects.set(key, Buffer.from(`${'0'.repeat(64)}  ${key.slice(9, -7)}\n`)));
    expect((await refused(restored(bad))).code).toBe('corrupt');
    const { report, out } = await restored(bad, { salvage: true });
    expect(report.damaged).toEqual([]);
    expectAllBut(out, nothing);
  });
});
