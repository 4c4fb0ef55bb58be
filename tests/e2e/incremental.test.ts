import { appendFileSync, chmodSync, copyFileSync, linkSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BackupRequest } from '../../main/contract/reports.ts';
import { archivesOf, anHourLater, expectRestored, expectSame, hour, sent } from '../support/incremental.ts';
import { movableClock, password, world } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { TreeMaker } from '../support/trees.ts';

const mib = 2 ** 20;
const timeout = 600_000;

/** Two small files, one of many frames, one of several volumes, and all that is no plain file. */
const volumes: Partial<BackupRequest> = { volumeSize: 6 * mib };
function newSource(): string {
  const source = tempFolder();
  const tree = new TreeMaker(source, 7);
  tree.folder('world/empty');
  tree.file('world/level', 300_000);
  tree.file('world/\xff name', 50_000);
  tree.file('large', 5 * mib);
  tree.file('huge', 13 * mib);
  tree.file('nothing', 0);
  tree.sparse('sparse', 6 * mib);
  tree.hardLink('world/level again', 'world/level');
  tree.link('link', 'world/level');
  return source;
}

describe('a second run', () => {
  test('sends what is new, and the snapshot restores byte for byte', { timeout }, async () => {
    const source = newSource();
    const one = anHourLater();
    const first = await one.backup(source, volumes);
    expect(first.kept).toEqual({ files: 0, bytes: 0 });
    new TreeMaker(source, 8).file('world/new', 70_000);
    const second = await one.backup(source, volumes);
    expect(second.archives).toHaveLength(1);
    expect([second.files, second.files - second.kept.files, second.bytes - second.kept.bytes]).toEqual([8, 2, 70_000]);
    expect(second.storedBytes).toBeLessThan(80_000);
    await expectSame(one, source);
    // A third one rests on both.
    new TreeMaker(source, 9).file('another', 1000);
    expect((await one.backup(source, volumes)).storedBytes).toBeLessThan(10_000);
    await expectSame(one, source);
    const rows = await one.engine.snapshots(one.destination, {}, {});
    expect(rows.map(({ sharedBytes }) => (sharedBytes ?? -1) > mib)).toEqual([false, true, true]);
    expect(rows[0]?.sharedBytes).toBe(0);
  });

  test('that only has less to keep writes no archive, and names none that nothing needs', { timeout }, async () => {
    const source = newSource();
    const one = anHourLater();
    await one.backup(source, volumes);
    rmSync(join(source, 'huge'));
    const { archives, kept, files } = await one.backup(source, volumes);
    expect(archives).toEqual([]);
    expect(kept.files).toBe(files - 1);
    await expectSame(one, source);
    await one.prune({ policy: { last: 1 } });
    // Of the four volumes, the ones that held nothing but the removed file are gone.
    expect((await archivesOf(one)).length).toBeLessThan(4);
    await expectSame(one, source);
  });

  test('does not send what has other stamps and the same content', { timeout }, async () => {
    const source = newSource();
    const one = anHourLater();
    await one.backup(source, volumes);
    utimesSync(join(source, 'world', 'level'), 1_700_000_000, 1_700_000_000.5);
    chmodSync(join(source, 'huge'), 0o600);
    utimesSync(join(source, 'large'), 1_700_000_000, 1_700_000_000);
    copyFileSync(join(source, 'sparse'), join(source, 'copy'));
    renameSync(join(source, 'copy'), join(source, 'sparse'));
    linkSync(join(source, 'nothing'), join(source, 'nothing again'));
    const { archives, kept, files } = await one.backup(source, volumes);
    expect([archives.length, kept.files]).toEqual([1, files - 2]);
    await expectSame(one, source);
    expect(await one.backup(source, volumes)).toMatchObject({ outcome: 'unchanged' });
  });

  test('sends a file that was changed in place, its length and time put back', { timeout }, async () => {
    const source = newSource();
    const one = anHourLater();
    utimesSync(join(source, 'huge'), 1_700_000_000, 1_700_000_000);
    await one.backup(source, volumes);
    const bytes = readFileSync(join(source, 'huge'));
    bytes.writeUInt8(bytes.readUInt8(9 * mib) ^ 1, 9 * mib);
    writeFileSync(join(source, 'huge'), bytes);
    utimesSync(join(source, 'huge'), 1_700_000_000, 1_700_000_000);
    expect(await sent(one, source, volumes)).toBeGreaterThan(200_000);
    await expectRestored(one, source);
  });

  test('reads what was young at its last reading, and does not send it', { timeout }, async () => {
    const source = newSource();
    const now = world();
    await now.backup(source);
    const { archives, kept, files, outcome } = await now.backup(source);
    expect([outcome, archives, files - kept.files]).toEqual(['written', [], 1]);
    appendFileSync(join(source, 'world', 'level'), 'more');
    expect((await now.backup(source)).kept.files).toBe(files - 2);
    await expectSame(now, source);
  });

  test('trusts no stamps of another machine, and builds on its archives after a take-over', { timeout }, async () => {
    const source = newSource();
    const one = anHourLater();
    await one.backup(source);
    const two = anHourLater({ backend: one.backend, machine: 'machine-two' });
    const bytes = readFileSync(join(source, 'large'));
    const { kept, files, archives } = await two.backup(source, { takeOver: true, force: true });
    expect([archives, files - kept.files]).toEqual([[], 1]);
    bytes[5] = 255 - (bytes[5] ?? 0);
    writeFileSync(join(source, 'large'), bytes);
    expect((await two.backup(source)).archives).toHaveLength(1);
    await expectSame(two, source);
  });
});

describe('a snapshot is whole', () => {
  test('when it is to be, and when what it would rest on is too old', { timeout }, async () => {
    const source = tempFolder();
    new TreeMaker(source, 1).file('file', 100_000);
    new TreeMaker(source, 1).file('other', 0);
    const clock = movableClock();
    const one = anHourLater({ clock });
    const whole = async (request: Partial<BackupRequest> = {}): Promise<boolean> => {
      appendFileSync(join(source, 'other'), 'x');
      return (await sent(one, source, request)) > 30_000;
    };
    const time = Date.now();
    expect(await whole({ time })).toBe(true);
    expect(await whole({ time: time + 29 * 24 * hour })).toBe(false);
    expect(await whole({ time: time + 30 * 24 * hour, whole: 31 })).toBe(false);
    expect(await whole({ time: time + 40 * 24 * hour, whole: 'never' })).toBe(false);
    expect(await whole({ time: time + 41 * 24 * hour })).toBe(true);
    expect(await whole({ time: time + 42 * 24 * hour })).toBe(false);
    // Asked for, also where nothing has changed; and then not again.
    const asked = { time: time + 43 * 24 * hour, whole: 'always' } as const;
    expect(await sent(one, source, asked)).toBeGreaterThan(30_000);
    expect(await one.backup(source, { ...asked, time: asked.time + hour })).toMatchObject({ outcome: 'unchanged' });
    await expectSame(one, source);
  });

  test('after a new key, and the next one rests on that', { timeout }, async () => {
    const source = tempFolder();
    new TreeMaker(source, 1).file('file', 100_000);
    const one = anHourLater();
    await one.backup(source);
    const newPassword = 'another long password';
    await one.engine.changePassword(one.destination, { newPassword, newKey: true }, {});
    const two = anHourLater({ backend: one.backend, credentials: { kind: 'password', password: newPassword } });
    expect(password).not.toBe(newPassword);
    expect(await sent(two, source)).toBeGreaterThan(30_000);
    new TreeMaker(source, 2).file('new', 10);
    expect(await sent(two, source)).toBeLessThan(5000);
    await expectSame(two, source);
  });
});
