import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { threadPacker } from '../../main/adapters/compute/pack/packer.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { ClassicSealer, classicMaxSize, newClassicKey } from '../../main/engine/archive/classic.ts';
import type { Packer } from '../../main/engine/archive/packer.ts';
import { seeTree } from '../support/compare-trees.ts';
import { backupRequest, contents, keysOf, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { expectRestored } from '../support/incremental.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mib = 2 ** 20;
const volumes = { volumeSize: 64 * mib };
const classic = { ...volumes, format: 'classic' } as const;
const refusal = { code: 'unsupported', message: 'the classic format ends at 32 GiB; use the archive format' };

/** The real packer, to whose sealers the classic format ends after so many bytes. */
function packerUpTo(maxSize: number): Packer {
  const packer = threadPacker();
  return (request, targets, run) => {
    const limited = targets.map((target) => (target.seal.format === 'classic' ? { ...target, seal: { ...target.seal, maxSize } } : target));
    return packer(request, limited, run);
  };
}

// Parts of 1 MiB: some of the file is on its way when the limit is met.
const smallParts = { maxPart: mib };
const worldUpTo = (maxSize: number): World =>
  world({ backend: memoryBackend({ limits: smallParts }), host: { packer: packerUpTo(maxSize) } });

/** Noise, which no compression makes smaller. */
function folderOf(size: number): string {
  const source = tempFolder();
  mkdirSync(join(source, 'world'));
  writeFileSync(join(source, 'world', 'region'), randomBytes(size));
  return source;
}

async function unfinished({ backend }: World): Promise<readonly string[]> {
  const tokens: string[] = [];
  for await (const { token } of backend.openUploads('')) tokens.push(token);
  return tokens;
}

describe('one classic file', () => {
  test('takes 32 GiB to the byte and not one more, and no caller can raise that', async () => {
    expect(classicMaxSize).toBe(32 * 2 ** 30);
    const key = await newClassicKey('a password', seededRandom(1));
    const sealer = new ClassicSealer({ ...key, maxSize: 1000 });
    sealer.update(Buffer.alloc(999));
    sealer.update(Buffer.alloc(1));
    expect(() => sealer.update(Buffer.alloc(1))).toThrow('the classic format ends at 32 GiB; use the archive format');
    // Of this much only the length is real: the refusal comes before a byte of it is touched.
    const endless = Object.defineProperty(new Uint8Array(0), 'length', { value: classicMaxSize + 1 });
    for (const maxSize of [undefined, 64 * 2 ** 30]) {
      const whole = new ClassicSealer({ ...key, ...(maxSize === undefined ? {} : { maxSize }) });
      expect(() => whole.update(endless)).toThrow('32 GiB');
    }
  });

  test('that passes its limit fails the backup, and nothing is left: no file, no upload, and what was there stays as it was', async () => {
    const one = worldUpTo(4 * mib);
    await expect(one.backup(folderOf(12 * mib), classic)).rejects.toMatchObject({ ...refusal, persistence: 'permanent' });
    // The vault is the destination's own, and no snapshot's.
    expect(await keysOf(one.backend)).toEqual(['holdfast.vault']);
    expect(await unfinished(one)).toEqual([]);

    const small = folderOf(1 * mib);
    const { id } = await one.backup(small, classic);
    const target = join(tempFolder(), 'back');
    await one.restore(target);
    // Of the folder itself a classic snapshot knows nothing.
    expect(seeTree(join(target, 'world'), { owners: true })).toEqual(seeTree(join(small, 'world'), { owners: true }));
    const before = await contents(one.backend);
    expect(before.size).toBe(3);
    await expect(one.backup(folderOf(12 * mib), { ...classic, server: 'survival' })).rejects.toMatchObject(refusal);
    expect(await contents(one.backend)).toEqual(before);
    expect(await unfinished(one)).toEqual([]);
    expect(await one.engine.snapshots(one.destination, {}, {})).toMatchObject([{ id, complete: true }]);
  });

  test('is what the archive format is offered for: the same folder goes into it', async () => {
    const one = worldUpTo(4 * mib);
    const source = folderOf(12 * mib);
    expect((await one.backup(source, volumes)).outcome).toBe('written');
    await expectRestored(one, source);
  });

  test('refused in two places of one run, it is left in neither', async () => {
    const one = worldUpTo(4 * mib);
    const other = worldUpTo(4 * mib);
    const both = [one.destination, { ...other.destination, settings: { provider: 'memory', place: 'another' } }];
    const outcomes = await one.engine.backupToAll(both, backupRequest(folderOf(12 * mib), classic), {});
    expect(outcomes).toMatchObject([refusal, refusal]);
    for (const { backend } of [one, other]) expect(await keysOf(backend)).toEqual(['holdfast.vault']);
    expect([...(await unfinished(one)), ...(await unfinished(other))]).toEqual([]);
  });
});
