import type { BigIntStats } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isRacy } from '../../main/adapters/files/stamps.ts';

const now = Date.UTC(2026, 10, 23, 22, 5);
const secondsAgo = (seconds: number): bigint => BigInt(now - seconds * 1000) * 1_000_000n;
const stat = (mtime: number, ctime: number): BigIntStats => ({ mtimeNs: secondsAgo(mtime), ctimeNs: secondsAgo(ctime) }) as BigIntStats;

describe('an entry proves nothing later', () => {
  const hour = 3600;
  test.each([
    ['whose content was touched 59 seconds before it was read', 59, hour, true],
    ['whose metadata were touched 59 seconds before', hour, 59, true],
    ['that comes from the future', hour, -1, true],
    ['but one that was touched 61 seconds before', 61, 61, false],
  ])('%s', (_what, mtime, ctime, racy) => {
    expect(isRacy(stat(mtime, ctime), now)).toBe(racy);
  });
});
