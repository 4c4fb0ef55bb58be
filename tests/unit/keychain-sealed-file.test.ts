import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { costOfRandomKey, sealedFileKeychain } from '../../main/adapters/keychain/sealed-file.ts';
import type { Keychain } from '../../main/engine/service/keychain.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { tempFolder } from '../support/temp-folder.ts';

// Cheap, but where the cost is what it is about.
const open = (path: string, passphrase = 'open sesame'): Keychain =>
  sealedFileKeychain({ path, passphrase: () => Promise.resolve(passphrase), cost: costOfRandomKey });
const fresh = (): string => join(tempFolder(), 'below', 'keys.sealed');

test('what is kept comes back to another process, and the file shows none of it', async () => {
  const path = fresh();
  await open(path).set({ 'destination/one/key': 'a planted secret', 'destination/two/key': 'zwölf' });
  expect(await open(path).get('destination/one/key')).toBe('a planted secret');
  expect(await open(path).get('destination/none/key')).toBeNull();
  expect(await open(path).names()).toEqual(['destination/one/key', 'destination/two/key']);
  const bytes = readFileSync(path);
  for (const text of ['planted', 'destination', 'zwölf']) expect(bytes.includes(text)).toBe(false);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('it is sealed anew each time: no two files are alike, whatever they hold', async () => {
  const path = fresh();
  await open(path).set({ a: '1' });
  const first = readFileSync(path);
  await open(path).set({ a: '1' });
  expect(readFileSync(path).subarray(12, 40).equals(first.subarray(12, 40))).toBe(false);
});

test('a try of a passphrase costs 128 MiB, unless less is asked for; what was sealed at another cost still opens', async () => {
  const path = fresh();
  const costly = sealedFileKeychain({ path, passphrase: () => Promise.resolve('open sesame') });
  const costIn = (): readonly number[] => [...readFileSync(path).subarray(8, 12)];
  await costly.set({ a: '1' });
  expect(costIn()).toEqual([17, 8, 1, 0]);
  await open(path).set({ b: '2' });
  expect(costIn()).toEqual([10, 8, 1, 0]);
  expect([await costly.get('a'), await costly.get('b')]).toEqual(['1', '2']);
});

test('null removes one secret and leaves the others', async () => {
  const path = fresh();
  await open(path).set({ a: '1', b: '2' });
  await open(path).set({ a: null });
  expect([await open(path).get('a'), await open(path).get('b')]).toEqual([null, '2']);
});

test('a wrong passphrase opens nothing and writes nothing; the right one, in another form of Unicode, does', async () => {
  const path = fresh();
  await open(path, 'Bär').set({ a: '1' });
  const before = readFileSync(path);
  expect(await codeOf(open(path, 'bear').get('a'))).toBe('wrong-password');
  expect(await codeOf(open(path, 'bear').set({ a: '2' }))).toBe('wrong-password');
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(await open(path, 'Ba\u0308r').get('a')).toBe('1');
});

test('an empty passphrase is refused, and nothing is made', async () => {
  const path = fresh();
  expect(await codeOf(open(path, '').set({ a: '1' }))).toBe('config-invalid');
  expect(existsSync(path)).toBe(false);
});

test('after a wrong passphrase another may be given to the same keychain', async () => {
  const path = fresh();
  await open(path).set({ a: '1' });
  const answers = ['wrong', 'open sesame'];
  const keychain = sealedFileKeychain({ path, passphrase: () => Promise.resolve(answers.shift() ?? '') });
  expect(await codeOf(keychain.get('a'))).toBe('wrong-password');
  expect(await keychain.get('a')).toBe('1');
  expect(await keychain.get('a')).toBe('1');
});

test('every altered byte is found', async () => {
  const path = fresh();
  await open(path).set({ a: '1' });
  const whole = readFileSync(path);
  // Cost (which would take long to try) and its bounds are looked at below.
  for (const at of [0, 7, 11, 12, 27, 28, 39, 40, whole.length - 17, whole.length - 1]) {
    const altered = Buffer.from(whole);
    altered[at] = (altered[at] ?? 0) ^ 1;
    writeFileSync(path, altered);
    expect([at, await codeOf(open(path).get('a'))]).toEqual([at, expect.stringMatching(/^(corrupt|wrong-password)$/)]);
  }
  for (const size of [0, 39, 55, whole.length - 1]) {
    writeFileSync(path, whole.subarray(0, size));
    expect([size, await codeOf(open(path).get('a'))]).toEqual([size, expect.stringMatching(/^(corrupt|wrong-password)$/)]);
  }
  for (const [log2N, r, p] of [
    [31, 8, 1],
    [20, 255, 1],
    [17, 8, 255],
    [0, 8, 1],
    [17, 0, 1],
  ] as const) {
    const greedy = Buffer.from(whole);
    greedy.set([log2N, r, p], 8);
    writeFileSync(path, greedy);
    expect([log2N, r, p, await codeOf(open(path).get('a'))]).toEqual([log2N, r, p, 'corrupt']);
  }
});
