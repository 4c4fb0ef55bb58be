import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inByteOrder, readNames } from '../../main/adapters/files/folder-names.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('the names of a folder come in byte order whatever they are, more of them than one call of the system brings', () => {
  const folder = tempFolder();
  const at = (name: Buffer): Buffer => Buffer.concat([Buffer.from(`${folder}/`), name]);
  const wanted: { name: string; kind: string }[] = [];
  for (let number = 0; number < 3000; number += 1) {
    // Bytes that are no UTF-8, and such as come before and behind them.
    const name = Buffer.concat([
      Buffer.from([[0x61], [0xff], [0xc3, 0xa4], [0x2b]][number % 4] ?? []),
      Buffer.from(String((number * 7919) % 3000)),
    ]);
    const kind = (['file', 'directory', 'symlink'] as const)[number % 3] ?? 'file';
    if (kind === 'file') writeFileSync(at(name), '');
    else if (kind === 'directory') mkdirSync(at(name));
    else symlinkSync('nowhere', at(name));
    wanted.push({ name: name.toString('latin1'), kind });
  }
  const bytes = ({ name }: { name: string }): Buffer => Buffer.from(name, 'latin1');
  expect([...inByteOrder(readNames(folder))]).toEqual(wanted.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b))));
  expect(readdirSync(folder)).toHaveLength(3000);
});

test('an empty folder has none, and one that is not there is the system’s error', () => {
  const folder = tempFolder();
  expect([...inByteOrder(readNames(folder))]).toEqual([]);
  expect(() => readNames(join(folder, 'missing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
