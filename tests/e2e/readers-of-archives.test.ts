import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { seeTree } from '../support/compare-trees.ts';
import { archiveOpened, archiveUnsealed, hasTracer, python3, zipReaders } from '../support/other-readers.ts';
import { isRoot, Workshop } from '../support/run-holdfast.ts';
import { buildOddTree } from '../support/trees.ts';

const shop = new Workshop('readers');
const source = shop.path('odd');
const volumeSize = 6 * 2 ** 20;
let archives: readonly string[] = [];
let zips: readonly string[] = [];

const hidden = '.holdfast/';

beforeAll(async () => {
  buildOddTree(source, { seed: 11, asRoot: isRoot, volumeSize });
  const { code, stdout } = await shop.backup(source, ['--volume-size', '6M']);
  expect(code, stdout).toBe(0);
  archives = shop.objects('odd').filter((name) => name.endsWith('.holdfast'));
  expect(archives.length).toBeGreaterThan(5);
  if (hasTracer) zips = archives.map((name) => archiveOpened(shop, `odd/${name}`));
});

interface Listed {
  readonly name: string;
  readonly mode: number;
  readonly time: number | null;
  readonly sha256: string;
  readonly target: string;
}

/** Every entry of a ZIP as Python sees it; names in latin1. */
const listing = `
import hashlib, json, struct, sys, zipfile
for name in sys.argv[1:]:
    with zipfile.ZipFile(name) as archive:
        for info in archive.infolist():
            raw = info.orig_filename.encode('utf-8' if info.flag_bits & 0x800 else 'cp437').decode('latin-1')
            extra, at, time = info.extra, 0, None
            while at + 4 <= len(extra):
                kind, size = struct.unpack_from('<HH', extra, at)
                if kind == 0x5455 and size >= 5: time = struct.unpack_from('<i', extra, at + 5)[0]
                at += 4 + size
            sha, body = hashlib.sha256(), b''
            with archive.open(info) as data:
                while piece := data.read(1 << 20):
                    sha.update(piece)
                    body = body if len(body) > 5000 else body + piece
            link = (info.external_attr >> 28) == 0o12
            print(json.dumps({'name': raw, 'mode': info.external_attr >> 16, 'time': time, 'sha256': sha.hexdigest(), 'target': body.decode('latin-1') if link else ''}))
`;

describe.skipIf(!hasTracer)('other programs open an archive', () => {
  it('that docs/recovery/open.py has unsealed, and find nothing wrong with it', () => {
    for (const [index, zip] of zips.entries()) {
      for (const [reader, read] of Object.entries(zipReaders)) expect(read(zip), `${reader}, ${archives[index]}`).toBe('');
    }
  });

  it('and find every file, link and folder, with its mode, its time and its content', () => {
    const wanted = seeTree(source, { owners: false });
    const text = python3(listing, ...zips);
    const found = new Map<string, Listed>();
    for (const line of text.trimEnd().split('\n')) {
      const entry = JSON.parse(line) as Listed;
      expect(found.has(entry.name), entry.name).toBe(false);
      found.set(entry.name, entry);
    }
    const pieces = [...found.keys()].filter((name) => name.startsWith('.holdfast/pieces/'));
    for (const [path, entry] of wanted) {
      if (path === '.' || entry.type === 'special') continue;
      const name = `${path === '.holdfast' || path.startsWith(hidden) ? '.holdfast/files/' : ''}${path}${entry.type === 'folder' ? '/' : ''}`;
      const inPieces = entry.type === 'file' && Number(entry.size) > volumeSize;
      const got = found.get(name);
      if (inPieces && got === undefined) continue;
      expect(got, name).toBeDefined();
      if (got === undefined) continue;
      found.delete(name);
      const isFurtherName = entry.type === 'file' && got.target !== '';
      if (isFurtherName) {
        expect(entry.names, name).not.toBe('');
        continue;
      }
      const mode = { file: 0o100000, folder: 0o040000, link: 0o120000, special: 0 }[entry.type] | parseInt(entry.mode, 8);
      expect(got.mode, name).toBe(mode);
      const seconds =
        BigInt(entry.mtimeNs) / 1_000_000_000n - (BigInt(entry.mtimeNs) < 0n && BigInt(entry.mtimeNs) % 1_000_000_000n !== 0n ? 1n : 0n);
      if (got.time !== null) expect(BigInt(got.time), name).toBe(seconds);
      else expect(seconds < -(2n ** 31n) || seconds >= 2n ** 31n, name).toBe(true);
      if (entry.type === 'file') expect(got.sha256, name).toBe(entry.content);
      if (entry.type === 'link') expect(got.target, name).toBe(entry.content);
    }
    expect([...found.keys()].sort()).toEqual(pieces.sort());
    expect(pieces.length).toBeGreaterThan(8);
  });

  it.each(['sizes', 'sparse', 'hard', '.holdfast'])('pieces of %s joined in the order of their names give the file', (part) => {
    const folder = shop.path(`pieces of ${part}`);
    mkdirSync(folder);
    for (const zip of zips) python3(extract, zip, `.holdfast/pieces/${part}/`, folder);
    const at = `${folder}/.holdfast/pieces/${part}`;
    const files = new Set(
      readdirSync(at, { recursive: true, encoding: 'utf8' })
        .filter((name) => /@\d{16}$/.test(name))
        .map((name) => name.replace(/@\d{16}$/, '')),
    );
    expect(files.size).toBeGreaterThan(0);
    for (const file of files) {
      const joined = execFileSync('bash', ['-c', `cat "$1"@* | sha256sum`, 'bash', `${at}/${file}`], { encoding: 'utf8' });
      const wanted = createHash('sha256')
        .update(readFileSync(`${source}/${part}/${file}`))
        .digest('hex');
      expect(joined.slice(0, 64), file).toBe(wanted);
    }
  });
});

const extract = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    archive.extractall(sys.argv[3], [name for name in archive.namelist() if name.startswith(sys.argv[2])])
`;

describe.skipIf(!hasTracer)('the layers by themselves', () => {
  it('sha256sum -c passes in the folder of the server', () => {
    const text = execFileSync('bash', ['-c', 'sha256sum -c *.sha256'], { cwd: `${shop.place}/odd`, encoding: 'utf8' });
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^.*: /, '')),
    ).toEqual(archives.map(() => 'OK'));
  });

  it('zstd reads the unsealed stream as it is, and every frame says how much it holds', () => {
    const [archive] = archives;
    const stream = archiveUnsealed(shop, `odd/${archive}`);
    writeFileSync(`${stream}.zst`, readFileSync(stream));
    const [zip] = zips;
    const expanded = execFileSync('bash', ['-c', `zstd -dc "$1" | sha256sum`, 'bash', `${stream}.zst`], { encoding: 'utf8' });
    expect(expanded.slice(0, 64)).toBe(
      createHash('sha256')
        .update(readFileSync(zip ?? ''))
        .digest('hex'),
    );
    const said = execFileSync('zstd', ['-lv', `${stream}.zst`], { encoding: 'utf8', stdio: 'pipe' });
    expect(said).toMatch(/Skippable Frames: 1/i);
    expect(Number(/Decompressed Size:.*\((\d+) B\)/.exec(said)?.[1])).toBe(lstatSync(zip ?? '').size);
  });
});

/** Takes one entry's bytes out of the unsealed streams with nothing but zstd: what the manifest says must be where it says. */
const readExtents = `
import hashlib, json, subprocess, sys
streams, checked, files = [open(name, 'rb').read() for name in sys.argv[2:]], 0, 0
frames = {}
def frame(archive, offset, length):
    key = (archive, offset, length)
    if key not in frames:
        if len(frames) > 8: frames.clear()
        frames[key] = subprocess.run(['zstd', '-dc'], input=streams[archive][offset:offset + length], stdout=subprocess.PIPE, check=True).stdout
    return frames[key]
for line in open(sys.argv[1], encoding='utf-8').read().splitlines()[1:]:
    entry = json.loads(line)
    if entry['type'] != 'file' or 'linkOf' in entry or 'linkOfB64' in entry:
        assert entry['extents'] == [] and 'sha256' not in entry, line
        continue
    sha, size = hashlib.sha256(), 0
    for archive, offset, length, inner, count in entry['extents']:
        data = frame(archive, offset, length)[inner:inner + count]
        assert len(data) == count, line
        sha.update(data)
        size += count
        checked += 1
    assert size == entry['size'] and sha.hexdigest() == entry['sha256'], line
    files += 1
print(json.dumps({'files': files, 'extents': checked}))
`;

describe.skipIf(!hasTracer)('the manifest', () => {
  it('is lines of JSON that point at the very bytes, as zstd alone can tell', { timeout: 600_000 }, () => {
    const manifest = shop.objects('odd').find((name) => name.endsWith('.manifest')) ?? '';
    const lines = archiveOpened(shop, `odd/${manifest}`);
    const text = readFileSync(lines, 'utf8');
    expect(text.endsWith('\n')).toBe(true);
    const [first, ...entries] = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(Object.keys(first ?? {})).toEqual([
      ...['holdfast', 'version', 'id', 'server', 'slug', 'machine', 'host', 'time', 'root', 'preset', 'excludes', 'hooks'],
      ...['warnings', 'totals', 'archives'],
    ]);
    const kinds = (type: string): number => entries.filter((entry) => entry['type'] === type).length;
    const wanted = [...seeTree(source, { owners: false }).values()];
    const count = (type: string): number => wanted.filter((entry) => entry.type === type).length;
    expect([kinds('file'), kinds('directory'), kinds('symlink')]).toEqual([count('file'), count('folder'), count('link')]);
    expect(first?.['totals']).toMatchObject({
      entries: entries.length,
      files: count('file'),
      directories: count('folder'),
      symlinks: count('link'),
    });
    const streams = (first?.['archives'] as { key: string }[]).map(({ key }) => archiveUnsealed(shop, key));
    const result = JSON.parse(python3(readExtents, lines, ...streams)) as { files: number; extents: number };
    const further = entries.filter((entry) => 'linkOf' in entry || 'linkOfB64' in entry).length;
    expect(result.files).toBe(count('file') - further);
    expect(result.extents).toBeGreaterThan(result.files);
    expect(further).toBeGreaterThan(5);
  });
});
