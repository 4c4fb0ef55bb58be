import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { uploadBytes, uploadStream } from '../../main/engine/storage/upload-object.ts';
import { openB2Place, testBucket, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { rcloneSection } from '../support/clouds/backblaze-b2/server.ts';
import { openRclone, rcloneMissing, rcloneVersions, type Rclone, type RcloneVersion } from '../support/clouds/rclone.ts';
import { collect, get, patterned, sha256 } from './suite-support.ts';

const whole = patterned(20 * 1024 * 1024, 7);
const small = Buffer.from('a small object');
const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += 1_000_000) yield await Promise.resolve(bytes.subarray(at, at + 1_000_000));
}

/** A second reading of the protocol, on the same server. */
function describeRclone(version: RcloneVersion): void {
  const missing = rcloneMissing(version);
  describe.skipIf(missing !== '')(`rclone ${version} on the server of B2${missing === '' ? '' : ` (${missing})`}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-b2-rclone-'));
    const prefix = `rclone-${version}`;
    const remote = `remote:${testBucket}/${prefix}`;
    let place: B2Place | undefined;
    let rclone: Rclone | undefined;
    let backend: Backend | undefined;

    beforeAll(async () => {
      place = await openB2Place();
      const keys = place.server.addKey({ buckets: [testBucket], namePrefix: `${prefix}/` });
      backend = place.fresh({ keys, prefix });
      rclone = openRclone(version, rcloneSection(place.server, keys));
    });
    afterAll(async () => {
      rclone?.close();
      await place?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const run = async (args: readonly string[], input?: Uint8Array): Promise<Buffer> => {
      if (rclone === undefined) throw new Error('no rclone');
      return await rclone.run(args, input);
    };
    const ours = (): Backend => {
      if (backend === undefined) throw new Error('no backend');
      return backend;
    };
    const calls = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
      const seen: string[] = [];
      if (place !== undefined) place.server.onCall = (call) => seen.push(call);
      await work();
      return seen;
    };

    test('rcat: in one request, and as a large file; we read what rclone wrote', async () => {
      expect(await calls(() => run(['rcat', `${remote}/theirs/whole`], whole))).toContain('b2_upload_file');
      const inParts = ['--b2-chunk-size', '5M', '--b2-upload-cutoff', '6M', '--streaming-upload-cutoff', '0'];
      const seen = await calls(() => run(['rcat', ...inParts, `${remote}/theirs/parts`], whole));
      expect(seen.filter((call) => call === 'b2_upload_part').length).toBe(4);
      await run(['rcat', `${remote}/theirs/with space & ünusual+%41`], small);
      expect(sha256(await get(ours(), 'theirs/whole'))).toBe(sha256(whole));
      expect(sha256(await get(ours(), 'theirs/parts'))).toBe(sha256(whole));
      expect((await ours().stat('theirs/whole')).checksum).toEqual({ algorithm: 'sha1', hex: sha1(whole) });
      expect((await ours().stat('theirs/parts')).checksum).toBeUndefined();
      const listed = (await collect(ours().list('theirs/'))).map(({ key, size }) => [key, size]);
      // The third is no key of ours, and left out.
      expect(listed).toEqual([
        ['theirs/parts', whole.byteLength],
        ['theirs/whole', whole.byteLength],
      ]);
    });

    test('rclone reads, lists and checks what we wrote', async () => {
      await uploadBytes(ours(), 'ours/small', small);
      await uploadBytes(ours(), 'ours/a+b %41 & c', small);
      await uploadBytes(ours(), 'ours/empty', new Uint8Array(0));
      await uploadStream(ours(), 'ours/parts', inPieces(whole), { partSize: 5_000_000 });
      expect(sha256(await run(['cat', `${remote}/ours/parts`]))).toBe(sha256(whole));
      const stretch = await run(['cat', '--offset', '4999990', '--count', '5000020', `${remote}/ours/parts`]);
      expect(stretch.equals(whole.subarray(4_999_990, 10_000_010))).toBe(true);
      expect((await run(['cat', `${remote}/ours/a+b %41 & c`])).toString()).toBe(small.toString());
      const lines = (await run(['lsf', '-R', '--format', 'hsp', '--hash', 'SHA1', `${remote}/ours`])).toString().trim().split('\n');
      expect(lines.sort()).toEqual(
        [
          `;${whole.byteLength};parts`,
          `${sha1(small)};${small.byteLength};small`,
          `${sha1(small)};${small.byteLength};a+b %41 & c`,
          `${sha1(new Uint8Array(0))};0;empty`,
        ].sort(),
      );
      await run(['copy', `${remote}/ours`, join(folder, 'copy')]);
      expect(sha256(readFileSync(join(folder, 'copy', 'parts')))).toBe(sha256(whole));
      await run(['check', '--download', join(folder, 'copy'), `${remote}/ours`]);
    });

    test('copy and check --download of a folder, and a bit that is turned in what is stored is found', async () => {
      const source = mkdtempSync(join(folder, 'source-'));
      writeFileSync(join(source, 'large'), whole);
      writeFileSync(join(source, 'little'), small);
      await run(['copy', '--b2-chunk-size', '5M', '--b2-upload-cutoff', '6M', source, `${remote}/copied`]);
      await run(['check', '--download', source, `${remote}/copied`]);
      expect(sha256(await get(ours(), 'copied/large'))).toBe(sha256(whole));
      await place?.server.flipBit(testBucket, `${prefix}/copied/little`, 3);
      await expect(run(['check', '--download', source, `${remote}/copied`])).rejects.toThrow(/differ/);
    });

    test('delete hides by default: nothing is there for us; what we remove is gone with all versions', async () => {
      await run(['rcat', `${remote}/gone/one`], small);
      await run(['rcat', `${remote}/gone/two`], small);
      await run(['delete', `${remote}/gone`]);
      expect(await collect(ours().list('gone/'))).toEqual([]);
      expect(place?.server.actionsOf(testBucket, `${prefix}/gone/one`)).toEqual(['hide', 'upload']);
      await ours().remove('gone/one');
      expect(place?.server.actionsOf(testBucket, `${prefix}/gone/one`)).toEqual([]);
      await run(['delete', '--b2-hard-delete', `${remote}/ours`]);
      expect(await collect(ours().list('ours/'))).toEqual([]);
      expect((await run(['lsf', '-R', `${remote}/ours`])).toString()).toBe('');
    });

    test('no upload URL was misused, by us or by rclone', () => {
      expect(place?.server.misuses).toEqual([]);
    });
  });
}

for (const version of rcloneVersions) describeRclone(version);
