import { expect, test } from 'vitest';
import { zipEntries } from '../../main/adapters/compute/unpack/zip-file.ts';
import { openSpool } from '../../main/adapters/files/spool.ts';

/** A ZIP of nothing but a directory: so many empty files, whose records are of odd lengths. */
function directoryOf(names: readonly string[], cut = 0): Buffer {
  const records = names.map((name, index) => {
    const record = Buffer.alloc(46 + name.length + (index % 5));
    record.writeUInt32LE(0x0201_4b50, 0);
    record.writeUInt16LE(name.length, 28);
    // A comment, which nobody reads.
    record.writeUInt16LE(index % 5, 32);
    record.write(name, 46, 'latin1');
    return record;
  });
  const directory = Buffer.concat(records);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt32LE(directory.length - cut, 12);
  return Buffer.concat([directory, end]);
}

async function namesIn(zip: Buffer): Promise<string[]> {
  const spool = openSpool();
  await spool.append(zip);
  return [...zipEntries(spool.handle, spool.size)].map(({ name }) => name);
}

const names = Array.from({ length: 12_000 }, (_, index) => `${String(index)} ${'n'.repeat(200 + (index % 97))}`);

test('a directory of several megabytes is read to its end, whatever records lie across the borders of what is read at once', async () => {
  const zip = directoryOf(names);
  expect(zip.length).toBeGreaterThan(3 * 2 ** 20);
  expect(await namesIn(zip)).toEqual(names);
});

test('one that ends inside a record is damaged', async () => {
  await expect(namesIn(directoryOf(names, 30))).rejects.toThrow('ends inside an entry');
  await expect(namesIn(directoryOf(names, 400))).rejects.toThrow('is damaged');
});
