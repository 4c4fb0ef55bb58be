import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createFrameRingMemory, endsVolume, FrameRing, slotState } from '../../main/adapters/compute/frame-ring.ts';
import { FrameWriter } from '../../main/adapters/compute/pack/frame-writer.ts';
import { volumeLimits, VolumeWriter, type VolumeLimits } from '../../main/adapters/compute/pack/volume-writer.ts';
import { ZipDirectory } from '../../main/adapters/compute/pack/zip-directory.ts';
import { openSpool } from '../../main/adapters/files/spool.ts';
import { pathFromText } from '../../main/engine/archive/byte-path.ts';
import { zipRecord } from '../../main/engine/archive/zip.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Each volume's ZIP, as the frames have it. */
function volumesOf(ring: FrameRing): readonly Buffer[] {
  const volumes: Buffer[] = [];
  let pieces: Buffer[] = [];
  for (let slot = 0; slot < ring.slots && ring.state(slot) === slotState.filled; slot += 1) {
    const { content, flags } = ring.sizes(slot);
    pieces.push(Buffer.from(ring.content(slot).subarray(0, content)));
    if ((flags & endsVolume) === 0) continue;
    volumes.push(Buffer.concat(pieces));
    pieces = [];
  }
  return volumes;
}

function writer(limits: VolumeLimits): { ring: FrameRing; volumes: VolumeWriter; add: (name: string) => void } {
  const ring = new FrameRing(createFrameRingMemory({ slots: 8, partSizes: [1024] }));
  const volumes = new VolumeWriter(new FrameWriter(ring), new ZipDirectory(openSpool().handle), limits);
  const add = (name: string): void => {
    const record = zipRecord({ name: pathFromText(name), mode: 0o100_644, uid: 0, gid: 0, mtimeNs: 0n });
    const data = Buffer.from(name);
    volumes.addSmall(record, data.length, (room) => ({ size: data.copy(room), crc: crc32(data) }));
  };
  return { ring, volumes, add };
}

/** As an independent reader lists them, after it has found nothing wrong. */
function namesIn(zip: Buffer): readonly string[] {
  const file = join(tempFolder(), 'volume.zip');
  writeFileSync(file, zip);
  execFileSync('unzip', ['-tqq', file]);
  return execFileSync('unzip', ['-Z1', file], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .trimEnd()
    .split('\n');
}

it('lists in each volume its own entries and no other’s, also where the directory has many pieces and the next one few', () => {
  const { ring, volumes, add } = writer(volumeLimits('archive', 2 ** 30));
  const named = (volume: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${String(volume)}/${'long'.repeat(30)}/${String(index)}`);
  // Directories of about three pieces, of one, and of two.
  const all = [named(1, 12_000), named(2, 10), named(3, 6_000)];
  for (const names of all) {
    names.forEach(add);
    volumes.endVolume();
  }
  const zips = volumesOf(ring);
  expect(zips).toHaveLength(all.length);
  for (const [index, zip] of zips.entries()) expect(namesIn(zip)).toEqual(all[index]);
});

describe('a directory that is full', () => {
  const volumesOfThree = (limits: VolumeLimits): readonly number[] => {
    const { ring, volumes, add } = writer(limits);
    for (const name of ['one', 'two', 'three']) add(name);
    volumes.endVolume(true);
    return volumesOf(ring).map((zip) => namesIn(zip).length);
  };

  it('ends the volume', () => {
    expect(volumesOfThree({ ...volumeLimits('archive', 2 ** 30), directory: 1 })).toEqual([1, 1, 1]);
  });

  it('is none in a classic snapshot, which is one file', () => {
    expect(volumesOfThree(volumeLimits('classic', 1))).toEqual([3]);
    expect(volumeLimits('classic', 1).directory).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a volume of 100,000 bytes', () => {
  /** The sizes of what each volume holds. */
  function volumesWith(sizes: readonly number[]): readonly (readonly number[])[] {
    const { ring, volumes } = writer(volumeLimits('archive', 100_000));
    for (const [index, size] of sizes.entries()) {
      const record = zipRecord({ name: pathFromText(`${size}@${index}`), mode: 0o100_644, uid: 0, gid: 0, mtimeNs: 0n });
      const data = Buffer.alloc(size, index);
      volumes.addSmall(record, size, (room) => ({ size: data.copy(room), crc: crc32(data) }));
    }
    volumes.endVolume(true);
    return volumesOf(ring).map((zip) => namesIn(zip).map((name) => Number.parseInt(name, 10)));
  }

  it.each([
    ['is half full before nine tenths: those are the next one', [[50_000], [90_000]]],
    ['would become half as long again, time after time: it has one each', [[75_000], [75_000], [75_000]]],
    ['would become a little longer: it does', [[50_000, 55_000], [90_000, 19_000], [1_000]]],
    ['has next to nothing in it: it takes all of one', [[5_000, 98_000], [1_000]]],
    ['is full: it ends', [[60_000, 20_000, 25_000], [60_000]]],
    ['gets one that is longer than it, and next to nothing before it: both are one', [[5_000, 400_000], [20_000], [400_000], [5_000]]],
  ] as const)('%s', (_, expected) => {
    expect(volumesWith(expected.flat())).toEqual(expected);
  });
});
