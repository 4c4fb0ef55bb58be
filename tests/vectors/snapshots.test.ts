import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { seeTree } from '../support/compare-trees.ts';
import { contents, holding, password, world } from '../support/engine-on-memory.ts';
import { lettingThrough } from '../support/let-through.ts';
import { writeObjects } from '../support/other-readers.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { readVectors } from '../support/vectors.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const opener = here('../../docs/recovery/open.py');
const treeBuilder = here('../../docs/recovery/tree.py');
// The system's Python is where Debian puts python3-cryptography.
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const tools = spawnSync(python, ['-c', 'import cryptography']).status === 0 && spawnSync('zstd', ['--version']).status === 0;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A destination made of the vectors that say where they lie. */
function vectorDestination(): Map<string, Buffer> {
  const objects = new Map<string, Buffer>();
  for (const vector of readVectors()) {
    const key = vector.fields.get('key');
    if (key === undefined) continue;
    objects.set(key, vector.blob);
    objects.set('holdfast.vault', vector.blob.subarray(0, 92));
    if (key.endsWith('.holdfast')) objects.set(`${key}.sha256`, Buffer.from(`${sha256(vector.blob)}  ${key.split('/')[1]}\n`));
  }
  return objects;
}

describe('a destination that the second implementation wrote', () => {
  test('verifies: every object, and every ZIP beside its manifest', async () => {
    const report = await world({ backend: await holding(vectorDestination()) }).verify();
    expect([report.damage, report.warnings]).toEqual([[], []]);
    expect(report.snapshots.map(({ id, server, ok, files }) => [id, server, ok, files]).sort()).toEqual([
      ['20251123T220500Z-k3v7qa', 'Höhle', true, 9],
      ['20251124T220500Z-a2b3c4', 'Höhle', true, 1],
    ]);
  });

  test('comes back with its contents, names, modes, times and links', async () => {
    const there = world({ backend: await holding(vectorDestination()) });
    const target = join(tempFolder(), 'back');
    await there.restore(target, { snapshot: '20251123T220500Z-k3v7qa' });
    const names = readdirSync(Buffer.from(target), { encoding: 'buffer', recursive: false }).map((name) => name.toString('latin1'));
    expect(names.sort()).toEqual(
      [
        '.holdfast',
        'big.bin',
        'empty',
        'empty folder',
        'gr\xc3\xbc\xc3\x9fe.txt',
        'link',
        'not-utf8-\xff\xfe',
        'old',
        'second name',
        'setuid',
        'year 2300',
      ].sort(),
    );
    const at = (name: string): string => join(target, name);
    expect(readFileSync(at('big.bin')).equals(Buffer.from('0123456789abcdef'.repeat(5 * 64 * 1024)))).toBe(true);
    expect(readFileSync(at('.holdfast/own'), 'utf8')).toBe('a real file of that name\n');
    expect(readFileSync(at('grüße.txt'), 'utf8')).toBe('Grüße aus der Höhle\n'.repeat(40));
    expect(readlinkSync(at('link'))).toBe('grüße.txt');
    expect(readFileSync(Buffer.concat([Buffer.from(`${target}/not-utf8-`), Buffer.of(0xff, 0xfe)]), 'utf8')).toBe('a name in Latin-1\n');
    expect(statSync(at('second name')).ino).toBe(statSync(at('big.bin')).ino);
    expect(statSync(at('setuid')).mode & 0o7777).toBe(0o4755);
    expect(lstatSync(at('old'), { bigint: true }).mtimeNs).toBe(-1n);
    expect(lstatSync(at('empty'), { bigint: true }).mtimeNs).toBe(1_763_935_500_123_456_789n);
    expect(readdirSync(at('empty folder'))).toEqual([]);
  });

  test('a file in three pieces over three volumes comes back as one', async () => {
    const there = world({ backend: await holding(vectorDestination()) });
    const target = join(tempFolder(), 'back');
    await there.restore(target, { snapshot: '20251124T220500Z-a2b3c4' });
    expect(statSync(join(target, 'world/region.bin')).size).toBe(6500);
  });

  test('a volume that carries another volume of the same snapshot is named as damage', async () => {
    const objects = vectorDestination();
    const [one, two] = ['hoehle/20251124T220500Z-a2b3c4.holdfast', 'hoehle/20251124T220500Z-a2b3c4.002.holdfast'];
    const second = objects.get(two);
    if (second === undefined) throw new Error('the vector is missing');
    objects.set(one, second);
    const report = await world({ backend: await holding(objects) }).verify({ snapshot: '20251124T220500Z-a2b3c4' });
    expect(report.snapshots.map(({ ok }) => ok)).toEqual([false]);
    expect(report.damage.map(({ object }) => object)).toContain(one);
  });
});

/** Content on both sides of every border: frames, chunks, volumes; and all that a name or a time can be. */
function makeTree(root: string): void {
  mkdirSync(join(root, 'world/region/deep'), { recursive: true });
  mkdirSync(join(root, 'empty folder'));
  mkdirSync(join(root, '.holdfast/pieces'), { recursive: true });
  const put = (name: string, data: Uint8Array | string): void => writeFileSync(join(root, name), data);
  put('.holdfast/pieces/real', 'a real file where the format keeps its own');
  put('empty', '');
  put('grüße.txt', 'Grüße\n');
  put('world/level.dat', randomBytes(5_000_000));
  put('world/large.bin', randomBytes(9_500_000));
  put('world/exact.bin', randomBytes(3 * 2 ** 20));
  for (let index = 0; index < 200; index += 1) put(`world/region/r.${index}.mca`, randomBytes(index * 97));
  put('world/text.txt', 'compressible '.repeat(400_000));
  put('world/holes', '');
  truncateSync(join(root, 'world/holes'), 6_000_000);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/latin-`), Buffer.of(0xe9)]), 'not UTF-8');
  linkSync(join(root, 'world/level.dat'), join(root, 'world/region/deep/level.dat'));
  linkSync(join(root, 'empty'), join(root, 'zero'));
  symlinkSync('../world/level.dat', join(root, 'empty folder/link'));
  symlinkSync('/nowhere', join(root, 'dangling'));
  utimesSync(join(root, 'empty'), -1.5, -1.5);
  utimesSync(join(root, 'grüße.txt'), 10_413_792_000, 10_413_792_000);
}

/** Path as Python's fsdecode gives it → SHA-256, read by Python so that names agree. */
function truth(root: string): Record<string, string> {
  const program = [
    'import hashlib, json, os, sys',
    'found = {}',
    'for base, _, names in os.walk(sys.argv[1]):',
    '    for name in names:',
    '        path = os.path.join(base, name)',
    '        if not os.path.islink(path): found[os.path.relpath(path, sys.argv[1])] = hashlib.sha256(open(path, "rb").read()).hexdigest()',
    'print(json.dumps(found))',
  ].join('\n');
  return JSON.parse(execFileSync(python, ['-c', program, root], { encoding: 'utf8' })) as Record<string, string>;
}

const writeOut = (objects: ReadonlyMap<string, Uint8Array>): string => writeObjects(tempFolder(), objects);

interface Opened {
  readonly status: number | null;
  readonly out: Buffer;
  readonly said: string;
}

function passwordOf(text: string): readonly string[] {
  const secret = join(tempFolder(), 'password');
  writeFileSync(secret, `${text}\n`);
  return ['--password-file', secret];
}

const open = (file: string, ...args: readonly string[]): Opened => runOn(opener, file, args);
const unseal = (file: string): Opened => runOn(opener, file, [], lettingThrough());
const build = (file: string, ...args: readonly string[]): Opened => runOn(treeBuilder, file, args);

function runOn(program: string, file: string, args: readonly string[], env = process.env): Opened {
  const run = spawnSync(python, [program, file, ...passwordOf(password), ...args], { env, maxBuffer: 2 ** 28 });
  return { status: run.status, out: run.stdout, said: run.stderr.toString() };
}

describe.skipIf(!tools)('what our writer makes, the second implementation reads', () => {
  test('a snapshot in several volumes, to the last field', async () => {
    const source = tempFolder();
    makeTree(source);
    const there = world();
    await there.backup(source, { volumeSize: 3 * 2 ** 20 });
    await there.backup(source, { whole: 'always', force: true, level: 9 });
    const expected = truth(source);
    expect(Object.keys(expected).length).toBe(211);
    // The third one rests on the archive of the second.
    writeFileSync(join(source, 'later'), 'x');
    await there.backup(source);
    const folder = writeOut(await contents(there.backend));
    const read = execFileSync(python, [here('check_snapshots.py'), folder, password], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    const snapshots = JSON.parse(read) as { archives: number; files: Record<string, string> }[];
    expect(snapshots.map(({ files }) => files)).toEqual([expected, expected, truth(source)]);
    expect(snapshots.map(({ archives }) => archives).sort((a, b) => a - b)).toEqual([1, 2, expect.any(Number)]);
    expect(Math.max(...snapshots.map(({ archives }) => archives))).toBeGreaterThan(5);
  });

  test('tree.py builds the tree of a snapshot whose files lie in archives of several runs, and names what is lost', async () => {
    const source = tempFolder();
    makeTree(source);
    const there = world();
    await there.backup(source, { volumeSize: 3 * 2 ** 20 });
    writeFileSync(join(source, 'later'), 'x');
    const { id, archives } = await there.backup(source, { volumeSize: 3 * 2 ** 20 });
    expect(archives).toHaveLength(1);
    const folder = writeOut(await contents(there.backend));
    const manifest = join(folder, 'survival', `${id}.manifest`);
    const tree = join(tempFolder(), 'tree');
    const { status, said } = build(manifest, '-o', tree);
    expect([status, said]).toEqual([0, expect.stringMatching(/^(opening: \w+\n)+$/)]);
    expect(seeTree(tree, { owners: false })).toEqual(seeTree(source, { owners: false }));
    // After a change of the password, and without the vault: the archives are older than the header that it opens.
    await there.engine.changePassword(there.destination, { newPassword: 'second', newKey: false }, {});
    const now = world({ backend: there.backend, credentials: { kind: 'password', password: 'second' } });
    writeFileSync(join(source, 'newer'), 'y');
    const newer = await now.backup(source, { volumeSize: 3 * 2 ** 20 });
    const later = writeOut(await contents(there.backend));
    const newTree = join(tempFolder(), 'tree');
    const byNew = build(join(later, 'survival', `${newer.id}.manifest`), '-o', newTree, ...passwordOf('second'));
    expect(byNew.status).toBe(0);
    expect(seeTree(newTree, { owners: false })).toEqual(seeTree(source, { owners: false }));
    rmSync(join(folder, archives[0] ?? ''));
    const without = build(manifest, '-o', join(tempFolder(), 'tree'));
    expect([without.status, without.said.match(/lost: .*/g)]).toEqual([13, [expect.stringMatching(/later$/)]]);
  });

  test('open.py turns an archive into its ZIP and a manifest into its lines, and finds one altered byte', async () => {
    const source = tempFolder();
    makeTree(source);
    const there = world();
    const { id } = await there.backup(source);
    const folder = writeOut(await contents(there.backend));
    const archive = join(folder, 'survival', `${id}.holdfast`);
    const zip = join(tempFolder(), 'out.zip');
    expect(open(archive, '-o', zip)).toMatchObject({ status: 0, said: 'opening: archive\n' });
    const program = 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(len(z.namelist()))';
    expect(execFileSync(python, ['-c', program, zip], { encoding: 'utf8' })).toBe('219\n');

    const manifest = open(join(folder, 'survival', `${id}.manifest`));
    const lines = manifest.out.toString('utf8').trimEnd().split('\n');
    expect([manifest.status, JSON.parse(lines[0] ?? '')]).toEqual([0, expect.objectContaining({ id, slug: 'survival' })]);
    expect(lines.length).toBe(221);

    const altered = readFileSync(archive);
    const place = 148 + 16_400 * 20 + 5;
    altered.writeUInt8(altered.readUInt8(place) ^ 1, place);
    writeFileSync(archive, altered);
    expect(unseal(archive)).toMatchObject({ status: 13, said: expect.stringContaining(`chunk 20, from byte ${148 + 16_400 * 20}`) });
    expect(unseal(archive).out.length).toBe(20 * 16_384);
  });

  test('open.py reads what is older than the password, and mends headers, with the vault', async () => {
    const source = tempFolder();
    writeFileSync(join(source, 'a'), 'content');
    const before = world({ credentials: { kind: 'password', password: 'the one before' } });
    const { id } = await before.backup(source);
    await before.engine.changePassword(before.destination, { newPassword: password, newKey: true }, {});
    const folder = writeOut(await contents(before.backend));
    const manifest = join(folder, 'survival', `${id}.manifest`);
    const vault = ['--vault', join(folder, 'holdfast.vault')];
    expect(statSync(join(folder, 'holdfast.vault')).size).toBe(3 * 92);
    expect(open(manifest).status).toBe(12);
    expect(open(manifest, ...vault).out.toString()).toContain('"path":"a"');
    const damaged = readFileSync(manifest);
    damaged.fill(0, 0, 92);
    writeFileSync(manifest, damaged);
    expect(open(manifest, ...vault)).toMatchObject({ status: 0, said: expect.stringContaining('repaired') });
  });

  test('a classic file, by both Python readers', async () => {
    const source = tempFolder();
    makeTree(source);
    const there = world();
    const { id } = await there.backup(source, { format: 'classic' });
    const objects = await contents(there.backend);
    // The checker wants a vault, and a destination with nothing but classic files has none.
    const withVault = new Map([...objects, ...[...vectorDestination()].filter(([key]) => key === 'holdfast.vault')]);
    const folder = writeOut(withVault);
    const read = execFileSync(python, [here('check_snapshots.py'), folder, password], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    const [snapshot] = JSON.parse(read) as { files: Record<string, string> }[];
    const moved = Object.entries(truth(source)).map(([path, sum]) => [
      path.startsWith('.holdfast/') ? `.holdfast/files/${path}` : path,
      sum,
    ]);
    expect(snapshot?.files).toEqual(Object.fromEntries(moved));
    const opened = open(join(folder, 'survival', `${id}.zip.zst.enc`));
    expect([opened.status, opened.said, opened.out.subarray(0, 4).toString('latin1')]).toEqual([0, '', 'PK\x03\x04']);
    const objectsOfSidecar = objects.get(`survival/${id}.zip.zst.enc.sha256`)?.toString();
    expect(objectsOfSidecar).toBe(`${sha256(objects.get(`survival/${id}.zip.zst.enc`) ?? Buffer.alloc(0))}  ${id}.zip.zst.enc\n`);
  });
});
