import { closeSync, constants, openSync, readdirSync, readlinkSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSpool } from '../../main/adapters/files/spool.ts';
import { spoolFault } from '../../main/adapters/files/spool-room.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** By O_TMPFILE. */
function makesUnnamed(folder: string): boolean {
  try {
    closeSync(openSync(folder, 0o20_000_000 | constants.O_DIRECTORY | constants.O_RDWR, 0o600));
    return true;
  } catch {
    return false;
  }
}

describe('a spool', () => {
  it('gives back what was put in, and has no name that a killed process could leave behind', async () => {
    const folder = tempFolder();
    const spool = openSpool(folder);
    expect(readdirSync(folder)).toEqual([]);
    expect(readlinkSync(`/proc/self/fd/${spool.handle}`)).toMatch(/\(deleted\)$/);
    await spool.append(Buffer.alloc(300_000, 1));
    await spool.append(Buffer.from('end'));
    const pieces: Buffer[] = [];
    for await (const piece of spool.read()) pieces.push(Buffer.from(piece));
    expect(Buffer.concat(pieces)).toEqual(Buffer.concat([Buffer.alloc(300_000, 1), Buffer.from('end')]));
    expect((await spool.readRange(299_999, 3)).toString('latin1')).toBe('\x01en');
    await spool.dispose();
  });

  it.skipIf(!makesUnnamed(tmpdir()))(
    'never had a name, where the file system makes such files: no kill finds one between two calls',
    async () => {
      const spool = openSpool(tempFolder());
      expect(readlinkSync(`/proc/self/fd/${spool.handle}`)).toMatch(/\/#\d+ \(deleted\)$/);
      await spool.dispose();
    },
  );

  it('says where temporary files cannot be made, and how to name another place', () => {
    const folder = join(tempFolder(), 'missing');
    expect(() => openSpool(folder)).toThrow(folder);
    expect(() => openSpool(folder)).toThrow(/TMPDIR/);
  });

  it('that will not have the room it asks for is refused with both figures, and nothing is made', () => {
    const folder = tempFolder();
    const { bavail, bsize } = statfsSync(folder);
    const room = 2 * bavail * bsize;
    expect(() => openSpool(folder, { room })).toThrow(
      expect.objectContaining({
        code: 'disk-full',
        context: { folder, neededBytes: room, freeBytes: expect.any(Number), next: expect.stringContaining('TMPDIR') },
      }),
    );
    expect(readdirSync(folder)).toEqual([]);
    expect(() => openSpool(join(folder, 'missing'), { room: 1 })).toThrow(/TMPDIR/);
  });

  it('calls a full disk a full disk', () => {
    // Every write to /dev/full is refused with the kernel's own ENOSPC.
    const full = openSync('/dev/full', 'w');
    let refused: unknown;
    try {
      writeSync(full, 'x');
    } catch (error) {
      refused = error;
    } finally {
      closeSync(full);
    }
    expect(spoolFault(refused)).toMatchObject({ code: 'disk-full' });
  });
});
