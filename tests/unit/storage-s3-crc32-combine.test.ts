import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { combineCrc32 } from '../../main/adapters/storage/s3/crc32-combine.ts';
import { patterned } from '../conformance/suite-support.ts';

test.each([
  [0, 0],
  [0, 5],
  [5, 0],
  [1, 1],
  [3, 4096],
  [70_000, 1],
  [1_000_003, 524_287],
])('of %i bytes and %i behind them is the one of all', (first, second) => {
  const bytes = patterned(first + second);
  const [head, tail] = [bytes.subarray(0, first), bytes.subarray(first)];
  expect(combineCrc32(crc32(head), crc32(tail), tail.byteLength)).toBe(crc32(bytes));
});

test('lengths that 32 bits cannot say count in full', () => {
  const [a, b, c] = [crc32('a'), crc32('b'), crc32('c')];
  const [ofB, ofC] = [3 * 2 ** 32 + 7, 2 ** 31 + 1];
  const fromLeft = combineCrc32(combineCrc32(a, b, ofB), c, ofC);
  expect(combineCrc32(a, combineCrc32(b, c, ofC), ofB + ofC)).toBe(fromLeft);
  expect(combineCrc32(a, b, ofB)).not.toBe(combineCrc32(a, b, 7));
});
