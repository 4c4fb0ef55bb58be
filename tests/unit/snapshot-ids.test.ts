import { describe, expect, it } from 'vitest';
import { isSnapshotId, newSnapshotId, snapshotTime } from '../../main/engine/snapshots/names.ts';
import { seededRandom } from '../support/seeded-random.ts';

const time = Date.UTC(2026, 10, 23, 22, 5, 0, 999);

describe('the id of a snapshot', () => {
  it('is its second and six letters of base32', () => {
    const id = newSnapshotId(time, seededRandom(1));
    expect(id).toMatch(/^20261123T220500Z-[a-z2-7]{6}$/);
    expect(isSnapshotId(id)).toBe(true);
    expect(snapshotTime(id)).toBe(time - 999);
    expect(newSnapshotId(time, seededRandom(2))).not.toBe(id);
  });

  it('sorts behind all earlier ones of the same second, however many there are', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const random = seededRandom(seed);
      const ids = ['20261123T220459Z-zzzzzz', '20261123T220501Z-222222'];
      for (let count = 0; count < 20; count += 1) ids.push(newSnapshotId(time, random, ids.toReversed()));
      const made = ids.slice(2);
      expect(made.toSorted()).toEqual(made);
      expect(new Set(made).size).toBe(20);
      expect(made.every((id) => isSnapshotId(id) && id.startsWith('20261123T220500Z-'))).toBe(true);
    }
  });

  it('takes the next second when there are no letters left', () => {
    expect(newSnapshotId(time, seededRandom(1), ['20261123T220500Z-zzzzzz'])).toMatch(/^20261123T220501Z-/);
  });

  it('uses all letters in every place', () => {
    const random = seededRandom(9);
    const seen = Array.from({ length: 6 }, () => new Set<string>());
    for (let count = 0; count < 2000; count += 1)
      for (const [place, letter] of Array.from(newSnapshotId(time, random).slice(17)).entries()) seen[place]?.add(letter);
    expect(seen.map(({ size }) => size)).toEqual([32, 32, 32, 32, 32, 32]);
  });
});
