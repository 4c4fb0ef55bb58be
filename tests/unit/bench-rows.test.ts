import { expect, test } from 'vitest';
import { roundsRow } from '../bench/table.ts';

test.each([
  // The medians are 5.8 s and 6.9 s: neither they nor their ratio belong to the round in the middle.
  ['three rounds', [5.8, 7.9, 5.7], [5.6, 6.9, 8.0], { ours: '5.8 s', peer: '5.6 s', result: '1.04 ×', met: false }],
  ['one round', [1], [2], { ours: '1.0 s', peer: '2.0 s', result: '0.50 ×', met: true }],
  ['two rounds, the slower one', [1, 3], [2, 2], { ours: '3.0 s', peer: '2.0 s', result: '1.50 ×', met: false }],
])('seconds and ratio are of one and the same round: %s', (_, ours, theirs, row) => {
  expect(roundsRow('x', ours, theirs)).toMatchObject(row);
});
