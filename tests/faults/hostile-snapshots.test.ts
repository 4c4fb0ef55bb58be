import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { nativeZstd } from '../../main/adapters/compute/zstd.ts';
import { Fault } from '../../main/contract/faults.ts';
import { craftSnapshot, fileLine, plainLine, rootLine } from '../support/craft-snapshot.ts';
import type { Craft, FramePlace } from '../support/craft-snapshot.ts';
import { openedByKey, password, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { treeDigest } from '../support/tree-digest.ts';

/**
 * Snapshots that are sealed well and say what they like. Whoever has the password can make them, and so can a bug: a restore must
 * neither leave its folder nor change the target, and must say in a typed fault why.
 */

let maker: World;
let one: World;
let number = 0;
let peak = 0;
const sampler = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 20);
let before = 0;
beforeAll(async () => {
  maker = world();
  one = await openedByKey(maker);
  before = process.memoryUsage.rss();
});
afterAll(() => {
  clearInterval(sampler);
  // Bombs, tables and lines of any size are bounded. The entry of a million extents takes the most, 730 MiB seen; a bomb would take far more.
  expect((peak - before) / 2 ** 20).toBeLessThan(1024);
});

interface Sandbox {
  readonly root: string;
  readonly outside: string;
  readonly target: string;
}

/** A target that holds something, and beside it what must never change. */
function sandbox(): Sandbox {
  const root = tempFolder();
  const [outside, target] = [join(root, 'outside'), join(root, 'target')];
  mkdirSync(join(outside, 'deep'), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'nobody may write here');
  writeFileSync(join(outside, 'deep', 'secret'), 'nor here');
  mkdirSync(target);
  writeFileSync(join(target, 'server.properties'), 'as it was');
  symlinkSync('../outside', join(target, 'way-out'));
  return { root, outside, target };
}

async function crafted(craft: Craft): Promise<{ snapshot: string; server: string }> {
  const slug = `case-${(number += 1)}`;
  const { id } = await craftSnapshot(maker, { ...craft, slug, server: slug });
  return { snapshot: id, server: slug };
}

async function outcome(act: Promise<unknown>): Promise<Fault | null> {
  const error: unknown = await act.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error !== null) expect(error).toBeInstanceOf(Fault);
  return error as Fault | null;
}

/** Refused, strictly and in a salvage, and the whole sandbox is as it was. */
async function expectRefused(craft: Craft, code: RegExp, salvage: readonly boolean[] = [false, true]): Promise<void> {
  const place = sandbox();
  const was = treeDigest(place.root);
  const request = await crafted(craft);
  for (const tolerant of salvage) {
    const fault = await outcome(one.restore(place.target, { ...request, replace: true, salvage: tolerant }));
    expect([tolerant, fault?.code ?? 'restored', fault?.message]).toEqual([
      tolerant,
      expect.stringMatching(code) as string,
      expect.stringMatching(/./) as string,
    ]);
    expect(treeDigest(place.root)).toBe(was);
  }
  // Verifying it is a finding, or the same fault: never a crash, never a clean bill.
  const report = await one.verify({ ...request }).catch((error: unknown) => error);
  if (report instanceof Error) expect(report).toBeInstanceOf(Fault);
}

const corrupt = /^(corrupt|truncated)$/;
const content = 'the content of a file';
const lines =
  (...make: ((frame: FramePlace) => unknown)[]) =>
  (frames: readonly FramePlace[]): readonly unknown[] => {
    const [frame] = frames;
    return frame === undefined ? [rootLine] : [rootLine, ...make.map((line) => line(frame))];
  };
const file =
  (path: string, more: Record<string, unknown> = {}) =>
  (frame: FramePlace) =>
    fileLine(path, frame, more);
const folder = (path: string) => () => plainLine(path, 'directory');
const empty = (path: string) => () => plainLine(path, 'file');
const link = (path: string, target: string) => () => plainLine(path, 'symlink', { target });
const hard = (path: string, linkOf: string) => () => plainLine(path, 'file', { linkOf });
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

describe('names that lead out of the folder', () => {
  const paths = [
    '..',
    '../x',
    'a/../../x',
    '/etc/x',
    '//x',
    '',
    'a//b',
    'a/',
    '/',
    './a',
    'a/./b',
    'a/..',
    'x\0y',
    '../outside/secret',
    'way-out/../../outside/secret',
  ];
  const named = paths.flatMap((path) => [
    { name: JSON.stringify(path), entries: lines(file(path)) },
    { name: `${JSON.stringify(path)} in base64`, entries: lines(file('', { path: undefined, pathB64: base64(path) })) },
  ]);
  const others = [
    { name: 'a folder ..', entries: lines(folder('../made')) },
    { name: 'a link ..', entries: lines(link('../made', 'x')) },
    { name: 'an empty file ..', entries: lines(empty('../made')) },
    { name: 'no name at all', entries: lines(file('', { path: undefined })) },
    { name: 'a number as name', entries: lines(file('', { path: 7 })) },
    { name: 'base64 that is none', entries: lines(file('', { path: undefined, pathB64: '!!!!' })) },
    { name: 'a file as the root', entries: lines(file('.')) },
    { name: 'a link as the root', entries: lines(link('.', '../outside')) },
  ];
  test.each([...named, ...others])('$name', async ({ entries }) => {
    await expectRefused({ entries }, corrupt, [false]);
  });
});

describe('entries that stand in each other’s way', () => {
  const cases = [
    { name: 'the same file twice', entries: lines(file('a'), file('a')) },
    { name: 'the same empty file twice', entries: lines(empty('a'), empty('a')) },
    { name: 'a file and an empty file', entries: lines(file('a'), empty('a')) },
    { name: 'the same link twice', entries: lines(link('a', 'x'), link('a', 'y')) },
    { name: 'a file, then something in it', entries: lines(file('a'), file('a/x')) },
    { name: 'something in it, then the file', entries: lines(file('a/x'), file('a')) },
    { name: 'a file and a folder', entries: lines(file('a'), folder('a')) },
    { name: 'a link out, then a file through it', entries: lines(link('a', '../outside'), file('a/secret')) },
    { name: 'a file, then a link out at its folder', entries: lines(file('a/secret'), link('a', '../outside')) },
    { name: 'a link out, then a folder of its name', entries: lines(link('a', '../outside'), folder('a'), file('a/secret')) },
    { name: 'a link out, then an empty file through it', entries: lines(link('a', '../outside'), empty('a/secret')) },
    { name: 'a link out, then a link through it', entries: lines(link('a', '../outside'), link('a/made', 'x')) },
    { name: 'a link out, then a folder through it', entries: lines(link('a', '../outside'), folder('a/made')) },
    { name: 'a link out, then a hard link through it', entries: lines(file('f'), link('a', '../outside'), hard('a/made', 'f')) },
    { name: 'two links out in a row', entries: lines(link('a', '../outside'), link('a/deep', '../..'), empty('a/deep/x')) },
  ];
  test.each(cases)('$name', async ({ entries }) => {
    await expectRefused({ entries }, corrupt, [false, true]);
  });
});

describe('hard links to what is no file of the snapshot', () => {
  const to = ['../outside/secret', '/etc/passwd', 'nobody', 'made', 'folder', '.', 'soft', 'soft/secret', 'x\0', ''];
  test.each(to)('%j', async (target) => {
    const entries = lines(folder('folder'), link('soft', '../outside'), hard('made', target));
    await expectRefused({ entries }, corrupt, [false]);
  });
});

describe('attributes and kinds', () => {
  const cases = [
    { name: 'a device', entries: lines(() => plainLine('a', 'file', { type: 'device' })) },
    { name: 'a pipe', entries: lines(() => plainLine('a', 'file', { type: 'fifo' })) },
    { name: 'the mode of a device', entries: lines(file('a', { mode: 0o60644 })) },
    { name: 'a negative mode', entries: lines(file('a', { mode: -1 })) },
    { name: 'half a mode', entries: lines(file('a', { mode: 1.5 })) },
    { name: 'an owner beyond 32 bits', entries: lines(file('a', { uid: 2 ** 33 })) },
    { name: 'a link without target', entries: lines(() => plainLine('a', 'symlink')) },
    { name: 'a link with an empty target', entries: lines(link('a', '')) },
    { name: 'a link with a NUL', entries: lines(link('a', 'x\0y')) },
    { name: 'a time that is none', entries: lines(file('a', { mtime: 'yesterday' })) },
    { name: 'a time as a number', entries: lines(file('a', { mtime: 1e9 })) },
    { name: 'a checksum in capitals', entries: lines(file('a', { sha256: 'A'.repeat(64) })) },
    { name: 'no checksum', entries: lines(file('a', { sha256: undefined })) },
    { name: 'an empty file that has a checksum of something', entries: lines(() => plainLine('a', 'file', { sha256: 'a'.repeat(64) })) },
  ];
  test.each(cases)('$name', async ({ entries }) => {
    await expectRefused({ entries }, corrupt, [false]);
  });

  test('a name of 300 bytes', async () => {
    await expectRefused({ entries: lines(file('a'.repeat(300))) }, /^(corrupt|unsupported)$/, [false]);
  });

  test.each(['99999999999999999999', '-99999999999999999999', '0', '-1'])(
    'the time %s, on a file, a folder and a link: kept or refused, never a crash',
    async (mtime) => {
      const place = sandbox();
      const entries = lines(
        file('a', { mtime }),
        () => plainLine('b', 'directory', { mtime }),
        () => plainLine('c', 'symlink', { mtime, target: 'a' }),
      );
      const fault = await outcome(one.restore(place.target, { ...(await crafted({ entries })), replace: true }));
      expect([null, 'corrupt']).toContain(fault?.code ?? null);
    },
  );

  test('links to anywhere are links, and nothing is read or written through them', async () => {
    const place = sandbox();
    const was = treeDigest(place.outside);
    const entries = lines(
      link('passwd', '/etc/passwd'),
      link('out', '../outside'),
      link('device', '/dev/zero'),
      link('loop', 'loop'),
      file('a'),
    );
    await one.restore(place.target, { ...(await crafted({ entries })), replace: true });
    expect([readlinkSync(join(place.target, 'passwd')), readlinkSync(join(place.target, 'out'))]).toEqual(['/etc/passwd', '../outside']);
    expect(lstatSync(join(place.target, 'device')).isSymbolicLink()).toBe(true);
    expect(treeDigest(place.outside)).toBe(was);
  });

  test('a link and a folder whose lines write letters as numbers come back like any others', async () => {
    const place = sandbox();
    const spelled = (path: string, type: 'symlink' | 'directory', more: Record<string, unknown>) => () =>
      JSON.stringify(plainLine(path, type, more)).replace(`"${type}"`, `"\\u00${type.charCodeAt(0).toString(16)}${type.slice(1)}"`);
    const entries = lines(
      spelled('a', 'directory', { mode: 0o700, mtime: '1000000000' }),
      file('a/f'),
      spelled('soft', 'symlink', { target: 'a/f' }),
    );
    const report = await one.restore(place.target, { ...(await crafted({ entries })), replace: true });
    expect([report.files, readlinkSync(join(place.target, 'soft'))]).toEqual([1, 'a/f']);
    const { mode, mtimeMs } = statSync(join(place.target, 'a'));
    expect([(mode & 0o7777).toString(8), mtimeMs]).toEqual(['700', 1000]);
  });

  test('a folder below a link, which a pattern leaves out, is not looked for through the link', async () => {
    const place = sandbox();
    const deep = join(place.outside, 'deep');
    const was = [statSync(deep).mode, statSync(deep).mtimeMs];
    const entries = lines(
      link('logs', '../outside'),
      () => plainLine('logs/deep', 'directory', { mtime: '1000000000', mode: 0o777 }),
      file('a'),
    );
    // Two patterns that make sense: all but the folder with the logs.
    const include = ['/*', '!/logs/'];
    expect(await outcome(one.restore(join(place.root, 'new'), { ...(await crafted({ entries })), include }))).toBeNull();
    expect([statSync(deep).mode, statSync(deep).mtimeMs]).toEqual(was);
  });

  test('set-id bits come back as they were, on a file that belongs to whoever the snapshot says and who may say so', async () => {
    const place = sandbox();
    await one.restore(place.target, { ...(await crafted({ entries: lines(file('tool', { mode: 0o4755 })) })), replace: true });
    expect((statSync(join(place.target, 'tool')).mode & 0o7777).toString(8)).toBe('4755');
  });

  test('names like those of the restore itself are ordinary names, or told', async () => {
    const place = sandbox();
    const names = [
      '.before',
      'target.before-20261123T220500Z',
      '.holdfast-restore',
      '.holdfast',
      'a\\b',
      'C:',
      'con',
      '-rf',
      '\ud83c\udf0d',
      ' ',
    ];
    const report = await one.restore(place.target, {
      ...(await crafted({ entries: lines(...names.map((name) => file(name))) })),
      replace: true,
    });
    const there = names.filter((name) => existsSync(join(place.target, name)));
    expect(there.length + report.warnings.filter(({ code }) => code === 'target').length).toBeGreaterThanOrEqual(names.length);
  });
});

describe('places in the archive that cannot be', () => {
  const extents = (...value: unknown[]) => lines(file('a', { extents: value }));
  const far = content.length;
  const cases: readonly { name: string; craft: Craft; code?: RegExp }[] = [
    { name: 'a size that the extents do not add up to', craft: { entries: lines(file('a', { size: far + 1 })) } },
    { name: 'a size of 2^52', craft: { entries: lines(file('a', { size: 2 ** 52 })) } },
    { name: 'a negative size', craft: { entries: lines(file('a', { size: -far })) } },
    { name: 'an archive that is not listed', craft: { entries: extents([7, 0, 30, 0, far]) } },
    { name: 'a negative archive', craft: { entries: extents([-1, 0, 30, 0, far]) } },
    { name: 'a negative offset', craft: { entries: extents([0, -5, 30, 0, far]) } },
    { name: 'a negative length', craft: { entries: extents([0, 0, 30, 0, far * 2], [0, 0, 30, 0, -far]) } },
    { name: 'a frame far behind the archive', craft: { entries: extents([0, 2 ** 40, 30, 0, far]) } },
    { name: 'a frame beyond what numbers hold', craft: { entries: extents([0, 2 ** 53, 30, 0, far]) } },
    { name: 'a frame of 2^40 bytes', craft: { entries: extents([0, 0, 2 ** 40, 0, far]) } },
    { name: 'a frame that ends behind the archive', craft: { entries: extents([0, 0, 4000, 0, far]) } },
    { name: 'a frame of no bytes', craft: { entries: extents([0, 0, 0, 0, far]) } },
    { name: 'a frame that begins in the middle of one', craft: { entries: extents([0, 3, 20, 0, far]) } },
    {
      name: 'a stretch behind the end of its frame',
      craft: {
        entries: lines(({ stored }) =>
          fileLine('a', { content: Buffer.from(content), offset: 0, stored }, { extents: [[0, 0, stored, 5, far]] }),
        ),
      },
    },
    { name: 'a stretch at 2 GiB of its frame', craft: { entries: extents([0, 0, 30, 2 ** 31, far]) } },
    { name: 'extents of four numbers', craft: { entries: extents([0, 0, 30, 0]) } },
    { name: 'extents that are text', craft: { entries: extents('all of it') } },
    { name: 'other content than the checksum says', craft: { entries: lines(file('a', { sha256: 'a'.repeat(64) })) } },
    {
      name: 'a frame that is no zstd',
      craft: { frames: [Buffer.from('plain text, not compressed at all')], entries: extents([0, 0, 33, 0, far]) },
    },
    {
      name: 'a frame cut short',
      craft: { frames: [Buffer.from(nativeZstd.compress(Buffer.from(content))).subarray(0, 20)], entries: extents([0, 0, 20, 0, far]) },
    },
    {
      name: 'a frame that wants a window of 2 GiB',
      craft: { frames: [Buffer.from('28b52ffd00a8010000610000', 'hex')], entries: extents([0, 0, 12, 0, far]) },
    },
    {
      name: 'a frame with a dictionary',
      craft: { frames: [Buffer.from('28b52ffd21abcd1501000061', 'hex')], entries: extents([0, 0, 12, 0, far]) },
    },
    {
      name: 'a frame to be skipped',
      craft: { frames: [Buffer.from('502a4d1804000000deadbeef', 'hex')], entries: extents([0, 0, 12, 0, far]) },
    },
  ];
  test.each(cases)('$name', async ({ craft, code }) => {
    await expectRefused(craft, code ?? /^(corrupt|truncated)$/, [false]);
  });

  test('a frame that expands to 256 MiB is not expanded', async () => {
    const bomb = Buffer.from(nativeZstd.compress(Buffer.alloc(256 * 2 ** 20)));
    expect(bomb.length).toBeLessThan(2 ** 16);
    await expectRefused({ frames: [bomb], entries: lines(file('a', { size: 4, extents: [[0, 0, bomb.length, 0, 4]] })) }, corrupt, [false]);
  });

  test('a million stretches of one frame: told for what they are, in little memory', async () => {
    const many = Array.from({ length: 1_000_000 }, () => [0, 0, 30, 0, 1]);
    await expectRefused({ entries: lines(file('a', { size: many.length, extents: many })) }, corrupt, [false]);
  });

  test('one bad file among good ones: salvage brings the good ones', async () => {
    const place = sandbox();
    const entries = lines(file('good'), file('bad', { sha256: 'b'.repeat(64) }), file('also/good'));
    const report = await one.restore(place.target, { ...(await crafted({ entries })), replace: true, salvage: true });
    expect(report.damaged.map(({ path }) => path)).toEqual(['bad']);
    expect([readFileSync(join(place.target, 'also/good'), 'utf8'), existsSync(join(place.target, 'bad'))]).toEqual([content, false]);
  });
});

describe('first lines that lie', () => {
  const nested = '['.repeat(200_000) + ']'.repeat(200_000);
  const cases: readonly { name: string; craft: Craft }[] = [
    { name: 'an array', craft: { firstLine: '[]' } },
    { name: 'null', craft: { firstLine: 'null' } },
    { name: 'no JSON', craft: { firstLine: '{"holdfast":' } },
    { name: 'empty', craft: { firstLine: '' } },
    { name: 'nested 200,000 deep', craft: { firstLine: nested } },
    { name: 'nested deep in a field', craft: { firstLine: `{"hooks":${nested}}` } },
    { name: 'longer than 16 MiB', craft: { header: { root: 'x'.repeat(17 * 2 ** 20) } } },
    { name: 'another format', craft: { header: { holdfast: 'archive' } } },
    { name: 'a version to come', craft: { header: { version: 2 } } },
    { name: 'no id', craft: { header: { id: undefined } } },
    { name: 'an id of elsewhere', craft: { header: { id: '20200101T000000Z-aaaaaa' } } },
    { name: 'a server of elsewhere', craft: { header: { slug: '../other' } } },
    { name: 'a time that is none', craft: { header: { time: 'now' } } },
    { name: 'excludes that are no list', craft: { header: { excludes: '*' } } },
    { name: 'archives that are no list', craft: { header: { archives: { length: 1 } } } },
    { name: 'negative totals', craft: { header: { totals: { entries: -1, files: 1, directories: 1, symlinks: 0, bytes: 1 } } } },
    {
      name: 'totals smaller than the content',
      craft: { header: { totals: { entries: 2, files: 1, directories: 1, symlinks: 0, bytes: 3 } } },
    },
    { name: 'an archive outside of the destination', craft: { archive: { key: '../../etc/passwd' } } },
    { name: 'an archive with a key that is none', craft: { archive: { key: '' } } },
    { name: 'an archive of another server', craft: { archive: { key: 'other/20200101T000000Z-aaaaaa.holdfast' } } },
    { name: 'the vault as an archive', craft: { archive: { key: 'holdfast.vault' } } },
    { name: 'an archive of 0 bytes', craft: { archive: { size: 0 } } },
    { name: 'an archive of 2^52 bytes', craft: { archive: { size: 2 ** 52 } } },
    { name: 'a head that is too short', craft: { archive: { head: 'SE9MREZBU1Q=' } } },
    { name: 'a head of nothing', craft: { archive: { head: base64('\0'.repeat(148)) } } },
    { name: 'an archive’s checksum that is another', craft: { archive: { sha256: 'c'.repeat(64) } } },
  ];
  test.each(cases)('$name', async ({ craft }) => {
    await expectRefused(craft, /^(corrupt|truncated)$/, [false]);
  });
});

describe('lines that lie', () => {
  const nested = '['.repeat(200_000) + ']'.repeat(200_000);
  const cases: readonly { name: string; entries: (frames: readonly FramePlace[]) => readonly unknown[] }[] = [
    { name: 'no JSON', entries: () => ['{'] },
    { name: 'a list', entries: () => ['[]'] },
    { name: 'a number', entries: () => ['42'] },
    { name: 'an empty line', entries: () => [''] },
    { name: 'nested 200,000 deep', entries: () => [nested] },
    { name: 'nested deep in a field', entries: () => [`{"path":"a","extents":${nested}}`] },
    { name: 'longer than 64 MiB', entries: () => [JSON.stringify({ path: 'x'.repeat(65 * 2 ** 20) })] },
    { name: 'a prototype', entries: () => ['{"__proto__":{"path":"a","type":"file"}}'] },
  ];
  test.each(cases)('$name', async ({ entries }) => {
    await expectRefused({ entries }, /^(corrupt|truncated)$/, [false]);
  });
});

describe('seek tables and ZIP directories that lie, found by verify', () => {
  function table(frames: readonly (readonly [number, number])[], change: (bytes: Buffer) => void = () => undefined): Buffer {
    const bytes = Buffer.alloc(8 + frames.length * 8 + 9);
    bytes.writeUInt32LE(0x184d2a5e, 0);
    bytes.writeUInt32LE(bytes.length - 8, 4);
    frames.forEach(([stored, size], index) => {
      bytes.writeUInt32LE(stored, 8 + index * 8);
      bytes.writeUInt32LE(size, 12 + index * 8);
    });
    bytes.writeUInt32LE(frames.length, bytes.length - 9);
    bytes.writeUInt32LE(0x8f92eab1, bytes.length - 4);
    change(bytes);
    return bytes;
  }
  const stored = nativeZstd.compress(Buffer.from(content)).length;
  /** A directory whose one record leaves its size and its place to a ZIP64 field, which has no room for them. */
  function shortZip64(): Buffer {
    const record = Buffer.alloc(46 + 1 + 4);
    record.writeUInt32LE(0x0201_4b50, 0);
    record.writeUInt32LE(0xffff_ffff, 24);
    record.writeUInt16LE(1, 28);
    record.writeUInt16LE(4, 30);
    record.writeUInt32LE(0xffff_ffff, 42);
    record.writeUInt16LE(0x0001, 47);
    const ends = Buffer.alloc(98);
    ends.writeUInt32LE(0x0606_4b50, 0);
    ends.writeBigUInt64LE(BigInt(record.length), 40);
    ends.writeBigUInt64LE(BigInt(content.length), 48);
    ends.writeUInt32LE(0x0605_4b50, 76);
    const frame = Buffer.from(nativeZstd.compress(Buffer.concat([record, ends])));
    return Buffer.concat([
      frame,
      table([
        [stored, content.length],
        [frame.length, record.length + ends.length],
      ]),
    ]);
  }
  const cases: readonly { name: string; tail: Buffer; frames?: number; message?: string }[] = [
    {
      name: 'another number of frames than the manifest',
      tail: table([
        [stored, 10],
        [0, 11],
      ]),
    },
    { name: 'sums that do not match the stream', tail: table([[stored + 1, 21]]) },
    { name: 'a frame of 4 GiB', tail: table([[stored, 0xffff_ffff]]) },
    { name: 'another content size than the frame has', tail: table([[stored, 98 + 46]]) },
    { name: 'a ZIP that has no end records', tail: table([[stored, content.length]]) },
    {
      name: 'a footer that speaks of more than there is',
      tail: table([[stored, 21]], (bytes) => bytes.writeUInt32LE(0x7ff_ffff, bytes.length - 9)),
    },
    { name: 'a ZIP64 field without its numbers', tail: shortZip64(), frames: 2, message: 'a ZIP64 field that is too short' },
  ];
  test.each(cases)('$name', async ({ tail, frames = 1, message = '' }) => {
    const request = await crafted({ contents: [content], tail, archive: { frames } });
    const report = await one.verify(request);
    expect(report.damage.length).toBeGreaterThan(0);
    expect(report.damage.map((damage) => damage.message).join('\n')).toContain(message);
    // The content itself is whole, and a restore does not need the table.
    expect(report.damage.flatMap(({ files }) => files)).toEqual([]);
  });
});

test('names with control characters and escapes never reach a terminal as such', async () => {
  const root = tempFolder();
  const backend = folderBackend(join(root, 'destination'));
  const mine = world({ backend });
  const evil = 'clear\u001b[2J\u009b31m\u0007bell\rcarriage\nline\u202etxt.exe';
  await craftSnapshot(mine, {
    server: evil,
    slug: 'evil',
    entries: lines(file(evil), link('soft', evil), file(`${evil}2`, { sha256: 'd'.repeat(64) })),
  });
  const bin = resolve('bin/holdfast.js');
  const run = (...args: string[]): string => {
    const env = { ...process.env, HOLDFAST_PASSWORD: password, XDG_STATE_HOME: join(root, 'state'), HOME: root };
    try {
      return execFileSync('node', [bin, ...args, '-d', `folder:${join(root, 'destination')}`], { env, stdio: 'pipe', encoding: 'utf8' });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      return stdout + stderr;
    }
  };
  const shown = [
    run('ls', 'latest'),
    run('ls', 'latest', '--json'),
    run('snapshots'),
    run('verify'),
    run('restore', 'latest', '--target', join(root, 'out')),
    run('restore', 'latest', '--salvage', '--target', join(root, 'out')),
  ];
  for (const text of shown) {
    expect(text).toContain('clear');
    // eslint-disable-next-line no-control-regex -- that is what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text).not.toMatch(/\nline/);
  }
  expect(readFileSync(join(root, 'out', evil), 'utf8')).toBe(content);
});
