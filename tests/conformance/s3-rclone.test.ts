import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { s3Backend } from '../../main/adapters/storage/s3/s3-backend.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { uploadBytes, uploadStream } from '../../main/engine/storage/upload-object.ts';
import { openRclone, rcloneMissing, rcloneVersions, type Rclone } from '../support/clouds/rclone.ts';
import { makeBucket } from '../support/s3/destinations.ts';
import { onSwift, startSwift, swiftKeys, swiftMissing, type Swift } from '../support/s3/swift.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { collect, get, patterned, sha256 } from './suite-support.ts';

const files: readonly (readonly [string, Buffer])[] = [
  ['holdfast.vault', patterned(92)],
  ['server/empty', Buffer.alloc(0)],
  ['server/20261123T220500Z-k3v9qa.holdfast', patterned(12_000_000)],
  ['server/20261123T220500Z-k3v9qa.manifest', patterned(70_000, 7)],
  ["odd/a b+c%20d&e'f", patterned(1000, 9)],
];
const large = files[2]?.[1] ?? Buffer.alloc(0);

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += 1_000_000) yield await Promise.resolve(bytes.subarray(at, at + 1_000_000));
}

/** Another reading of the protocol on the same server: what either writes, the other reads. */
describe.skipIf(swiftMissing !== '')(onSwift('S3 on OpenStack Swift beside rclone'), () => {
  let swift: Swift | undefined;
  let bucket = '';
  beforeAll(async () => {
    swift = await startSwift();
    bucket = await makeBucket(swift.endpoint);
  });
  afterAll(() => swift?.stop());

  describe.each(rcloneVersions)('%s', (version) => {
    const missing = rcloneMissing(version);
    let rclone: Rclone | undefined;
    let prefix = '';
    let backend: Backend | undefined;
    const run = async (args: readonly string[], input?: Uint8Array): Promise<Buffer> => (await rclone?.run(args, input)) ?? Buffer.alloc(0);
    const use = (): Backend => {
      if (backend === undefined) throw new Error('no backend is open');
      return backend;
    };
    const remote = (path: string): string => `remote:${bucket}/${prefix}/${path}`;

    beforeAll(() => {
      const endpoint = swift?.endpoint ?? '';
      prefix = `rclone-${randomBytes(4).toString('hex')}`;
      backend = s3Backend({ bucket, endpoint, prefix }, swiftKeys);
      rclone = openRclone(version, {
        ...{ type: 's3', provider: 'Other', endpoint, region: 'us-east-1', force_path_style: 'true' },
        ...{ access_key_id: swiftKeys.accessKeyId, secret_access_key: swiftKeys.secretAccessKey },
        ...{ upload_cutoff: '5M', chunk_size: '5M' },
      });
    });
    afterAll(() => rclone?.close());

    test.skipIf(missing !== '')('what we write rclone lists, compares and reads, and removes', async () => {
      const folder = tempFolder();
      for (const [key, bytes] of files) {
        mkdirSync(dirname(join(folder, key)), { recursive: true });
        writeFileSync(join(folder, key), bytes);
        if (bytes.byteLength > 5_242_880) await uploadStream(use(), key, inPieces(bytes), { partSize: 5_242_880 });
        else await uploadBytes(use(), key, bytes);
      }
      await run(['check', '--download', folder, remote('')]);

      const lines = (
        await run(['lsf', '-R', '--files-only', '--format', 'psh', '--hash', 'MD5', '--separator', '\t', remote('')])
      ).toString();
      // rclone takes no hash from the ETag of an upload in parts, and neither do we.
      const expected = files.map(([key, bytes]) => {
        const hash = bytes === large ? '' : createHash('md5').update(bytes).digest('hex');
        return [key, String(bytes.byteLength), hash].join('\t');
      });
      expect(lines.trimEnd().split('\n').sort()).toEqual(expected.sort());

      const key = files[2]?.[0] ?? '';
      const middle = await run(['cat', '--offset', '5242000', '--count', '70000', remote(key)]);
      expect(middle.equals(large.subarray(5_242_000, 5_312_000))).toBe(true);
      await run(['delete', remote('')]);
      expect(await collect(use().list(''))).toEqual([]);
    });

    test.skipIf(missing !== '')('what rclone writes we list and read, whole and in ranges', async () => {
      const folder = tempFolder();
      for (const [key, bytes] of files) {
        mkdirSync(dirname(join(folder, key)), { recursive: true });
        writeFileSync(join(folder, key), bytes);
      }
      await run(['copy', folder, remote('')]);
      await run(['rcat', remote('server/stream')], large);
      const listed = (await collect(use().list(''))).map(({ key, size }) => [key, size] as const);
      const written = [...files, ['server/stream', large] as const].map(([key, bytes]) => [key, bytes.byteLength] as const);
      expect(new Map(listed)).toEqual(new Map(written));
      expect(listed).toHaveLength(written.length);
      for (const [key, bytes] of files) expect([key, sha256(await get(use(), key))]).toEqual([key, sha256(bytes)]);
      const range = { offset: 5_242_000, length: 70_000 };
      expect((await get(use(), 'server/stream', range)).equals(large.subarray(5_242_000, 5_312_000))).toBe(true);
      for (const [key] of listed) await use().remove(key);
      expect((await run(['lsf', '-R', '--files-only', remote('')])).toString()).toBe('');
    });
  });
});
