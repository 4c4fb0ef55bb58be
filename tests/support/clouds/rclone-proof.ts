import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../../main/engine/storage/backend.ts';
import { uploadBytes, uploadStream } from '../../../main/engine/storage/upload-object.ts';
import { collect, get, patterned, sha256 } from '../../conformance/suite-support.ts';
import { startConnectProxy, type ConnectProxy } from './connect-proxy.ts';
import { openRclone, rcloneMissing, rcloneVersions, type Rclone, type RcloneVersion } from './rclone.ts';

/** A cloud whose addresses rclone knows by heart, and a server of ours in its place. */
export interface ProofSubject {
  readonly hosts: readonly string[];
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** What rclone's configuration says of the remote. */
  readonly section: Readonly<Record<string, string>>;
  /** A backend of ours and where it is in the remote. */
  readonly backend: Backend;
  readonly folder: string;
  /** rclone's name of the provider's checksum, and that of some bytes. */
  readonly hash: { readonly name: string; of(bytes: Uint8Array): Promise<string> | string };
  /** Options that make rclone send a file of 20 MiB in several pieces. */
  readonly inPieces: readonly string[];
  flipBit(key: string, offset: number): Promise<void>;
  close(): Promise<void>;
}

const whole = patterned(20 * 1024 * 1024, 7);
const small = Buffer.from('a small object');

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += 1_000_000) yield await Promise.resolve(bytes.subarray(at, at + 1_000_000));
}

/** Two generations of rclone, through a proxy, against the server that our backend is tested on: what one writes the other reads. */
export function describeRclone(name: string, open: () => Promise<ProofSubject>): void {
  for (const version of rcloneVersions) describeVersion(name, version, open);
}

function describeVersion(name: string, version: RcloneVersion, open: () => Promise<ProofSubject>): void {
  const missing = rcloneMissing(version);
  describe.skipIf(missing !== '')(`rclone ${version} on the server of ${name}${missing === '' ? '' : ` (${missing})`}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-rclone-proof-'));
    let subject: ProofSubject | undefined;
    let proxy: ConnectProxy | undefined;
    let rclone: Rclone | undefined;

    beforeAll(async () => {
      subject = await open();
      proxy = await startConnectProxy(subject.hosts, subject.handle);
      rclone = openRclone(version, subject.section, proxy);
    });
    afterAll(async () => {
      rclone?.close();
      await proxy?.close();
      await subject?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const it = (): ProofSubject => {
      if (subject === undefined) throw new Error('no server');
      return subject;
    };
    const at = (path: string): string => `remote:${it().folder}/${path}`;
    const run = async (args: readonly string[], input?: Uint8Array): Promise<Buffer> => {
      if (rclone === undefined) throw new Error('no rclone');
      return await rclone.run(args, input);
    };

    test('rcat: we read what rclone wrote, in one piece and in several', async () => {
      await run(['rcat', at('theirs/small')], small);
      await run(['rcat', '--streaming-upload-cutoff', '0', ...it().inPieces, at('theirs/whole')], whole);
      expect((await get(it().backend, 'theirs/small')).toString()).toBe(small.toString());
      expect(sha256(await get(it().backend, 'theirs/whole'))).toBe(sha256(whole));
      const listed = (await collect(it().backend.list('theirs/'))).map(({ key, size }) => [key, size]).sort();
      expect(listed).toEqual([
        ['theirs/small', small.byteLength],
        ['theirs/whole', whole.byteLength],
      ]);
    });

    test('rclone reads, lists, hashes and checks what we wrote', async () => {
      await uploadBytes(it().backend, 'ours/small', small);
      await uploadBytes(it().backend, 'ours/deep/er/empty', new Uint8Array(0));
      await uploadStream(it().backend, 'ours/parts', pieces(whole), {});
      expect(sha256(await run(['cat', at('ours/parts')]))).toBe(sha256(whole));
      const stretch = await run(['cat', '--offset', '4999990', '--count', '5000020', at('ours/parts')]);
      expect(stretch.equals(whole.subarray(4_999_990, 10_000_010))).toBe(true);
      const { hash } = it();
      const lines = (await run(['lsf', '-R', '--files-only', '--format', 'hsp', '--hash', hash.name, at('ours')]))
        .toString()
        .trim()
        .split('\n');
      expect(lines.sort()).toEqual(
        [
          `${await hash.of(whole)};${whole.byteLength};parts`,
          `${await hash.of(small)};${small.byteLength};small`,
          `${await hash.of(new Uint8Array(0))};0;deep/er/empty`,
        ].sort(),
      );
      await run(['copy', at('ours'), join(folder, 'copy')]);
      expect(sha256(readFileSync(join(folder, 'copy', 'parts')))).toBe(sha256(whole));
      await run(['check', '--download', join(folder, 'copy'), at('ours')]);
    });

    test('copy and check of a folder; a bit that is turned in what is stored is found; delete leaves nothing', async () => {
      const source = mkdtempSync(join(folder, 'source-'));
      writeFileSync(join(source, 'large'), whole);
      writeFileSync(join(source, 'little'), small);
      await run(['copy', ...it().inPieces, source, at('copied')]);
      await run(['check', '--download', source, at('copied')]);
      expect(sha256(await get(it().backend, 'copied/large'))).toBe(sha256(whole));
      await it().flipBit('copied/little', 3);
      await expect(run(['check', '--download', source, at('copied')])).rejects.toThrow(/differ/);
      await run(['delete', at('copied')]);
      expect(await collect(it().backend.list('copied/'))).toEqual([]);
    });
  });
}
