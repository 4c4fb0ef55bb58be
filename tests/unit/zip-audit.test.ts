import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { ZipAudit } from '../../main/adapters/compute/unpack/zip-audit.ts';

interface Zip {
  readonly content: Buffer;
  readonly directory: Buffer;
  /** Where each entry's data begins. */
  readonly starts: readonly number[];
}

/** Stored entries with just what the audit looks at; enough of them that the directory is longer than any window on it. */
function makeZip(count = 20_000): Zip {
  const parts: Buffer[] = [];
  const records: Buffer[] = [];
  const starts: number[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const name = Buffer.from(`folder-${String(index % 97)}/a-file-with-a-rather-long-name-${String(index).padStart(6, '0')}.txt`);
    const data = Buffer.alloc(1 + (index % 40), index);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x0403_4b50, 0);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x0201_4b50, 0);
    central.writeUInt32LE(crc32(data), 16);
    central.writeUInt32LE(data.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    parts.push(local, name, data);
    records.push(central, name);
    starts.push(at + 30 + name.length);
    at += 30 + name.length + data.length;
  }
  return { content: Buffer.concat(parts), directory: Buffer.concat(records), starts };
}

/** What the audit says, the files that it does not find, and the longest stretch of the directory that it asked for. */
function audit({ content, directory, starts }: Zip): { readonly problems: string[]; readonly lost: number; readonly longest: number } {
  const problems: string[] = [];
  let longest = 0;
  const read = (offset: number, length: number): Buffer => {
    longest = Math.max(longest, length);
    expect(offset + length).toBeLessThanOrEqual(directory.length);
    return Buffer.from(directory.subarray(offset, offset + length));
  };
  const zip = new ZipAudit({ length: directory.length, read }, (message) => problems.push(message));
  let lost = 0;
  let next = 0;
  const frame = 60_007;
  for (let at = 0; at < content.length; at += frame) {
    const end = Math.min(at + frame, content.length);
    zip.feed(content.subarray(at, end));
    for (; (starts[next] ?? Infinity) < end; next += 1) if (!zip.startsAt(starts[next] ?? -1)) lost += 1;
    zip.forget();
  }
  zip.end();
  return { problems, lost, longest };
}

test('a ZIP that is as its directory says; the directory is read a window at a time', () => {
  const zip = makeZip();
  expect(zip.directory.length).toBeGreaterThan(2 ** 20);
  expect(audit(zip)).toEqual({ problems: [], lost: 0, longest: 2 ** 20 });
});

test('names, checksums, places and the end are compared', () => {
  const renamed = makeZip(300);
  renamed.directory.write('b', renamed.directory.indexOf('a-file'));
  expect(audit(renamed)).toMatchObject({ problems: [expect.stringContaining('where something else stands')], lost: 1 });

  const altered = makeZip(300);
  altered.content[altered.content.length - 1] = 0xff;
  expect(audit(altered).problems).toEqual([expect.stringContaining('another CRC')]);

  const whole = makeZip(300);
  const record = whole.directory.length / 300;
  expect(audit({ ...whole, directory: whole.directory.subarray(0, whole.directory.lastIndexOf('PK')) }).lost).toBe(1);
  expect(
    audit({ ...whole, directory: whole.directory.subarray(0, whole.directory.length - Math.ceil(record) - 20) }).problems,
  ).toHaveLength(1);
  expect(audit({ ...whole, content: whole.content.subarray(0, -1) }).problems).toEqual([expect.stringContaining('ends before')]);
});
