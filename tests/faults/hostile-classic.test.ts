import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { nativeZstd } from '../../main/adapters/compute/zstd.ts';
import { Fault } from '../../main/contract/faults.ts';
import { ClassicSealer, newClassicKey } from '../../main/engine/archive/classic.ts';
import { craftSnapshot } from '../support/craft-snapshot.ts';
import { flipped } from '../support/damage.ts';
import { password, put, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { treeDigest } from '../support/tree-digest.ts';

interface Entry {
  readonly name: string;
  readonly data?: Buffer | string;
  /** st_mode. */
  readonly mode?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly packed?: number;
  readonly offset?: number;
  readonly extra?: Buffer;
}

const symlink = 0o120777;

/** A ZIP that says what it is told to (APPNOTE 4.3). */
function zip(entries: readonly Entry[], change: (bytes: Buffer) => Buffer = (bytes) => bytes): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name, 'latin1');
    const plain = Buffer.from(entry.data ?? '');
    const method = entry.method ?? 0;
    const packed = method === 8 ? deflateRawSync(plain) : plain;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(entry.flags ?? 0x0800, 2);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt32LE(entry.crc ?? crc32(plain), 10);
    fields.writeUInt32LE(entry.packed ?? packed.length, 14);
    fields.writeUInt32LE(entry.size ?? plain.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, name, packed]);
    locals.push(local);
    const extra = entry.extra ?? Buffer.alloc(0);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    rest.writeUInt32LE(entry.offset ?? at, 10);
    const listed = Buffer.from(fields);
    listed.writeUInt16LE(extra.length, 24);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), listed, rest, name, extra]));
    at += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return change(Buffer.concat([...locals, directory, end]));
}

async function sealed(plain: Uint8Array, as = password): Promise<Buffer> {
  const sealer = new ClassicSealer(await newClassicKey(as, { bytes: (length) => randomBytes(length) }));
  return Buffer.concat([sealer.head(), sealer.update(plain), sealer.end()]);
}

let one: World;
let number = 0;
beforeAll(async () => {
  one = world();
  await craftSnapshot(one, { slug: 'first', server: 'first' });
});

async function stored(
  bytes: Buffer,
  checksum: string | null = createHash('sha256').update(bytes).digest('hex'),
): Promise<{ snapshot: string; server: string }> {
  const server = `classic-${(number += 1)}`;
  const snapshot = '20261101T000000Z-aaaaaa';
  await put(one.backend, `${server}/${snapshot}.zip.zst.enc`, bytes);
  if (checksum !== null) await put(one.backend, `${server}/${snapshot}.zip.zst.enc.sha256`, `${checksum}  ${snapshot}.zip.zst.enc\n`);
  return { snapshot, server };
}

function sandbox(): { root: string; target: string } {
  const root = tempFolder();
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside', 'secret'), 'nobody may write here');
  mkdirSync(join(root, 'target'));
  writeFileSync(join(root, 'target', 'server.properties'), 'as it was');
  return { root, target: join(root, 'target') };
}

async function refusal(request: { snapshot: string; server: string }): Promise<string> {
  const { root, target } = sandbox();
  const was = treeDigest(root);
  const error: unknown = await one.restore(target, { ...request, replace: true }).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(treeDigest(root)).toBe(was);
  if (error === null) return 'restored';
  expect(error).toBeInstanceOf(Fault);
  return (error as Fault).code;
}

const compressed = (bytes: Buffer): Buffer => Buffer.from(nativeZstd.compress(bytes));
const zip64 = (values: readonly bigint[]): Buffer => {
  const field = Buffer.alloc(4 + values.length * 8);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(values.length * 8, 2);
  values.forEach((value, index) => field.writeBigUInt64LE(value, 4 + index * 8));
  return field;
};
const good = { name: 'good.txt', data: 'good' };

describe('classic ZIPs that lie', () => {
  const cases: readonly { name: string; bytes: () => Buffer }[] = [
    ...['../x', '/etc/x', 'a/../../x', 'a\0b', './a', 'a//b', '..', '../outside/secret', '.holdfast/files/../../x'].map((name) => ({
      name: `the name ${JSON.stringify(name)}`,
      bytes: () => zip([good, { name, data: 'evil' }]),
    })),
    { name: 'a folder outside', bytes: () => zip([good, { name: '../made/', mode: 0o040755 }]) },
    {
      name: 'a link out, then a file through it',
      bytes: () =>
        zip([
          { name: 'a', data: '../outside', mode: symlink },
          { name: 'a/secret', data: 'evil' },
        ]),
    },
    {
      name: 'a file, then a link at its folder',
      bytes: () =>
        zip([
          { name: 'a/secret', data: 'evil' },
          { name: 'a', data: '../outside', mode: symlink },
        ]),
    },
    {
      name: 'a link out, then a link through it',
      bytes: () => zip([good, { name: 'a', data: '../outside', mode: symlink }, { name: 'a/b', data: 'x', mode: symlink }]),
    },
    {
      name: 'a link out, then a folder through it',
      bytes: () => zip([good, { name: 'a', data: '../outside', mode: symlink }, { name: 'a/made/', mode: 0o040755 }]),
    },
    { name: 'the same file twice', bytes: () => zip([good, good]) },
    { name: 'a file, then something in it', bytes: () => zip([good, { name: 'good.txt/x', data: 'x' }]) },
    { name: 'a link with a NUL', bytes: () => zip([good, { name: 'a', data: 'x\0y', mode: symlink }]) },
    { name: 'a link with an empty target', bytes: () => zip([good, { name: 'a', data: '', mode: symlink }]) },
    { name: 'a link of 100 KB', bytes: () => zip([good, { name: 'a', data: Buffer.alloc(100_000, 97), mode: symlink }]) },
    { name: 'a bad CRC', bytes: () => zip([good, { name: 'a', data: 'x', crc: 7 }]) },
    { name: 'a size that is too large', bytes: () => zip([good, { name: 'a', data: 'x', size: 1000 }]) },
    {
      name: 'a bomb that says it is small',
      bytes: () => zip([good, { name: 'a', data: Buffer.alloc(50 * 2 ** 20), method: 8, size: 10 }]),
    },
    {
      name: 'deflated data that is none',
      bytes: () =>
        zip([good, { name: 'a', data: 'never deflated', method: 8 }], (bytes) =>
          Buffer.from(bytes.map((byte, at) => (at > 72 && at < 82 ? 255 : byte))),
        ),
    },
    { name: 'an entry behind the end', bytes: () => zip([good, { name: 'a', data: 'x', offset: 2 ** 31 }]) },
    { name: 'an entry where no header is', bytes: () => zip([good, { name: 'a', data: 'x', offset: 3 }]) },
    { name: 'a ZIP64 offset of 2^63', bytes: () => zip([good, { name: 'a', data: 'x', offset: 0xffff_ffff, extra: zip64([2n ** 63n]) }]) },
    {
      name: 'a ZIP64 size of 2^62',
      bytes: () => zip([good, { name: 'a', data: 'x', size: 0xffff_ffff, packed: 0xffff_ffff, extra: zip64([2n ** 62n, 2n ** 62n]) }]),
    },
    {
      name: 'a ZIP64 field that is too short',
      bytes: () => zip([good, { name: 'a', data: 'x', size: 0xffff_ffff, extra: Buffer.from('01000400aabbccdd', 'hex') }]),
    },
    {
      name: 'an extra field that ends early',
      bytes: () => zip([good, { name: 'a', data: 'x', size: 0xffff_ffff, extra: Buffer.from('0100ffff00', 'hex') }]),
    },
    {
      name: 'a directory that ends inside an entry',
      bytes: () => zip([good, { name: 'a', data: 'x' }], (bytes) => Buffer.concat([bytes.subarray(0, -30), bytes.subarray(-22)])),
    },
    {
      name: 'a directory that is longer than the file',
      bytes: () => zip([good], (bytes) => (bytes.writeUInt32LE(0x7000_0000, bytes.length - 10), bytes)),
    },
    {
      name: 'a ZIP64 end record at 2^63',
      bytes: () =>
        zip([good], (bytes) =>
          Buffer.concat([
            bytes.subarray(0, -22),
            Buffer.from('PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\x80\x01\0\0\0', 'latin1'),
            bytes.subarray(-22),
          ]),
        ),
    },
    { name: 'no end record', bytes: () => zip([good], (bytes) => bytes.subarray(0, -22)) },
    { name: 'nothing', bytes: () => Buffer.alloc(0) },
    { name: 'no ZIP', bytes: () => Buffer.from('<html></html>') },
  ];
  test.each(cases)('$name', async ({ bytes }) => {
    expect(await refusal(await stored(await sealed(compressed(bytes()))))).toMatch(/^(corrupt|truncated)$/);
  });

  test('an encrypted entry and an unknown method are unsupported, and said', async () => {
    expect(await refusal(await stored(await sealed(compressed(zip([good, { name: 'a', data: 'x', flags: 1 }])))))).toBe('unsupported');
    expect(await refusal(await stored(await sealed(compressed(zip([good, { name: 'a', data: 'x', method: 14 }])))))).toBe('unsupported');
  });

  test('a ZIP without a file restores nothing', async () => {
    expect(await refusal(await stored(await sealed(compressed(zip([])))))).toBe('not-found');
    expect(await refusal(await stored(await sealed(compressed(zip([{ name: 'folder/', mode: 0o040755 }])))))).toBe('not-found');
  });

  test('what is no zstd inside', async () => {
    expect(await refusal(await stored(await sealed(zip([good]))))).toMatch(/^(corrupt|truncated)$/);
    expect(await refusal(await stored(await sealed(compressed(zip([good])).subarray(0, -4))))).toMatch(/^(corrupt|truncated)$/);
  });

  test('an honest one with links, folders and deflated files comes back', async () => {
    const { target } = sandbox();
    const entries = [
      good,
      { name: 'a/', mode: 0o040700 },
      { name: 'a/deflated', data: Buffer.alloc(9999, 7), method: 8 },
      { name: 'out', data: '../outside', mode: symlink },
    ];
    const report = await one.restore(target, { ...(await stored(await sealed(compressed(zip(entries))))), replace: true });
    expect(report.files).toBe(2);
    expect(readFileSync(join(target, 'a/deflated')).equals(Buffer.alloc(9999, 7))).toBe(true);
    expect(existsSync(join(target, 'server.properties'))).toBe(false);
  });
});

describe('damage of a classic file', () => {
  test('with its checksum file, damage and a wrong password are told apart, in verify and in restore', async () => {
    const whole = await sealed(compressed(zip([good])));
    const right = createHash('sha256').update(whole).digest('hex');
    for (const at of [0, 15, 16, 27, 28, 40, -17, -16, -1]) {
      const request = await stored(flipped(whole, at), right);
      expect([at, await refusal(request)]).toEqual([at, 'corrupt']);
      expect([at, (await one.verify(request)).damage]).toMatchObject([
        at,
        [{ object: `${request.server}/${request.snapshot}.zip.zst.enc` }],
      ]);
    }
    for (const size of [0, 10, 27, 43, whole.length - 1]) {
      const request = await stored(whole.subarray(0, size), right);
      expect([size, await refusal(request)]).toEqual([size, expect.stringMatching(/^(corrupt|truncated)$/)]);
      expect((await one.verify(request)).damage.length).toBeGreaterThan(0);
    }
    const foreign = await stored(await sealed(compressed(zip([good])), 'another password'));
    expect(await refusal(foreign)).toBe('wrong-password');
    await expect(one.verify(foreign)).rejects.toMatchObject({ code: 'wrong-password' });
  });

  test('a checksum file that is none is damage, and stops no other verification', async () => {
    const whole = await sealed(compressed(zip([good])));
    for (const line of ['', 'x'.repeat(64), '0'.repeat(10_000)]) {
      const request = await stored(whole, line);
      expect(await refusal(request)).toBe('corrupt');
      expect((await one.verify(request)).damage).toMatchObject([
        { object: `${request.server}/${request.snapshot}.zip.zst.enc.sha256`, kind: 'checksum' },
      ]);
    }
  });

  test('without its checksum file it can be restored, and that is said', async () => {
    const { target } = sandbox();
    const request = await stored(await sealed(compressed(zip([good]))), null);
    const { warnings } = await one.restore(target, { ...request, replace: true });
    expect(warnings.filter(({ level }) => level !== 'note')).toMatchObject([{ code: 'checksum' }]);
    expect((await one.verify(request)).damage).toEqual([]);
    const broken = await stored(flipped(await sealed(compressed(zip([good]))), 50), null);
    expect((await one.verify(broken)).damage).toMatchObject([{ kind: 'sealed' }]);
  });

  test('a file that is sealed well and holds no sound ZIP is damage too: verify reads every entry', async () => {
    const insides: readonly (readonly [string, Buffer])[] = [
      ['a wrong CRC', compressed(zip([good, { name: 'bad', data: 'x', crc: 1 }]))],
      ['a wrong CRC of what is deflated', compressed(zip([{ name: 'bad', data: Buffer.alloc(5000, 7), method: 8, crc: 1 }]))],
      ['an entry that lies elsewhere', compressed(zip([good, { name: 'bad', data: 'x', offset: 1 }]))],
      ['no directory', compressed(zip([good], (bytes) => bytes.subarray(0, -22)))],
      ['a cut frame', compressed(zip([good])).subarray(0, -4)],
      ['no zstd', zip([good])],
    ];
    for (const [what, plain] of insides) {
      const { damage } = await one.verify(await stored(await sealed(plain)));
      expect([what, damage]).toMatchObject([what, [{ kind: 'zip', object: expect.stringMatching(/enc$/) }]]);
    }
  });

  test('what verify read of a whole one is counted', async () => {
    const entries = [good, { name: 'a/', mode: 0o040700 }, { name: 'a/deflated', data: Buffer.alloc(9999, 7), method: 8 }];
    const report = await one.verify(await stored(await sealed(compressed(zip(entries)))));
    expect(report.snapshots).toMatchObject([{ ok: true, files: 2, bytes: 4 + 9999 }]);
  });
});
