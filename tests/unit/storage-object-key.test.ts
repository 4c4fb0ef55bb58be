import fc from 'fast-check';
import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { checkKey, checkPrefix, isKey, keyProblem } from '../../main/engine/storage/object-key.ts';
import { Fault } from '../../main/contract/faults.ts';

test.each(['holdfast.vault', 'survival/20261123T220500Z-k3v9qa.holdfast', 'a', 'a b/c~d', '...', '..a/b..', 'a\\b', 'x'.repeat(512)])(
  'a key: %s',
  (key) => {
    expect(keyProblem(key)).toBeNull();
    checkKey(key);
  },
);

test.each([
  ['', 'empty'],
  ['x'.repeat(513), '512'],
  ['a\u007fb', 'ASCII'],
  ['a\tb', 'ASCII'],
  ['é', 'ASCII'],
  ['/a', 'empty part'],
  ['a/', 'empty part'],
  ['a//b', 'empty part'],
  ['.', '. or ..'],
  ['a/..', '. or ..'],
  ['a/./b', '. or ..'],
])('no key: %j', (key, reason) => {
  expect(keyProblem(key)).toContain(reason);
  expect(() => checkKey(key)).toThrow(Fault);
});

test('a key never leads out of the folder it is put into', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('.', '/', 'a', '..', ' ', '\\'), { maxLength: 12 }), (pieces) => {
      const key = pieces.join('');
      fc.pre(isKey(key));
      expect(posix.join('/root', key)).toBe(`/root/${key}`);
    }),
  );
});

test('every beginning of a key is a prefix', () => {
  const key = 'server/.x/..y/z';
  for (let length = 0; length <= key.length; length++) checkPrefix(key.slice(0, length));
});

test.each(['/', 'a//', '../', 'a/../b', './', 'ü'])('what no key begins with is no prefix: %s', (prefix) => {
  expect(() => checkPrefix(prefix)).toThrow(Fault);
});
