import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { countingReads, sumOf, type Reads } from '../support/counting-reads.ts';
import { flipped } from '../support/damage.ts';
import { movableClock, put, type World } from '../support/engine-on-memory.ts';
import { anHourLater, archivesOf, expectRestored, expectSame, hour, sent } from '../support/incremental.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';

/* What neither the last snapshot nor the run itself has, but an older snapshot does, is not sent again. */

const mib = 2 ** 20;
const day = 24 * 3_600_000;
const timeout = 600_000;
/** What a run stores for names and folders, and the seal of a few pieces. */
const overhead = 16_384;
const sizes = { small: 64 * 1024, frame: 3 * mib, medium: 7 * mib, large: 11 * mib + 5 };
const all = Object.values(sizes).reduce((sum, size) => sum + size, 0);
const clock = movableClock();
let source = '';
let one: World;
let reads: Reads;
const at = (...names: readonly string[]): string => join(source, ...names);

/** A file of each kind: in a frame with others, filling one, in several, and in pieces. */
function fill(folder: string): void {
  mkdirSync(at(folder));
  for (const [index, [name, size]] of Object.entries(sizes).entries()) writeFileSync(at(folder, name), noise(index, size));
}

beforeEach(() => {
  source = tempFolder();
  clock.offset = 0;
  reads = new Map();
  one = anHourLater({ clock, backend: countingReads(memoryBackend({ clock }), reads) });
  writeFileSync(at('always'), noise(100, 70_000));
});

/** A world is stored, and is away for some runs. */
async function storedAndGone(runs = 1): Promise<string> {
  fill('world');
  const { id } = await one.backup(source);
  clock.offset += hour;
  renameSync(at('world'), join(tempFolder(), 'elsewhere'));
  for (let run = 0; run < runs; run += 1) {
    writeFileSync(at('of each run'), String(run));
    await one.backup(source);
    clock.offset += hour;
  }
  return id;
}

describe('what only an older snapshot holds is not sent again', { timeout }, () => {
  test('when a world is away for a run and comes back', async () => {
    await storedAndGone();
    fill('world');
    const report = await one.backup(source);
    expect(report.archives.length === 0 || report.storedBytes < overhead).toBe(true);
    expect(report.kept.bytes).toBeGreaterThanOrEqual(all + 70_000);
    await expectSame(one, source);
  });

  test('when it comes back under another name, after many runs; few lists are read for it', async () => {
    await storedAndGone(9);
    fill('renamed');
    // As a move or a restore leaves it: written before the first snapshot.
    for (const name of Object.keys(sizes)) utimesSync(at('renamed', name), 1e9, 1e9);
    reads.clear();
    expect((await one.backup(source)).storedBytes).toBeLessThan(overhead);
    // The first line of the last snapshot, all of it, and that of the first.
    expect(sumOf(reads, '.manifest').count).toBe(3);
    await expectSame(one, source);
  });

  test('when an older snapshot is restored after a bad change', async () => {
    fill('world');
    writeFileSync(at('database'), noise(7, 12 * mib));
    const { id } = await one.backup(source);
    for (const name of Object.keys(sizes)) writeFileSync(at('world', name), 'broken');
    const database = readFileSync(at('database'));
    writeFileSync(at('database'), Buffer.concat([database.subarray(0, 5 * mib), noise(8, 3 * mib), database.subarray(8 * mib)]));
    await one.backup(source);
    await one.restore(source, { snapshot: id, replace: true });
    const report = await one.backup(source);
    expect(report.storedBytes).toBeLessThan(overhead);
    expect(report.kept.bytes).toBeGreaterThanOrEqual(all + 12 * mib);
    await expectSame(one, source);
  });

  test('but the end of a large file that has grown since', async () => {
    await storedAndGone();
    fill('world');
    appendFileSync(at('world', 'large'), noise(50, mib));
    expect(await sent(one, source)).toBeLessThan(2 * mib + overhead);
    await expectRestored(one, source);
  });

  test('also of files that this computer has taken over, whose stamps prove nothing', async () => {
    await storedAndGone();
    fill('world');
    const two = anHourLater({ clock, backend: one.backend, machine: 'machine-two' });
    const report = await two.backup(source, { takeOver: true });
    expect(report.storedBytes).toBeLessThan(overhead);
    await expectSame(two, source);
  });

  test('and a prune keeps what the new snapshot rests on', async () => {
    await storedAndGone();
    fill('world');
    const report = await one.backup(source);
    await one.prune({ policy: { last: 1 } });
    const rows = await one.engine.snapshots(one.destination, {}, {});
    expect(rows.map(({ id }) => id)).toEqual([report.id]);
    await expectSame(one, source);
  });
});

describe('what cannot be built on is sent again', { timeout }, () => {
  const bytesOf = (key: string): Promise<Uint8Array> => readBytes(one.backend, key, { limit: 2 ** 30 });

  test.each(['gone', 'cut short', 'marked as damaged', 'lost during the run'])('an archive that is %s', async (how) => {
    const id = await storedAndGone();
    const key = `survival/${id}.holdfast`;
    if (how === 'gone') await one.backend.remove(key);
    else if (how === 'cut short') await put(one.backend, key, (await bytesOf(key)).subarray(0, -1));
    else if (how === 'marked as damaged') await put(one.backend, `${key}.damaged`, Buffer.alloc(0));
    fill('world');
    writeFileSync(at('new'), noise(60, 100_000));
    let struck = false;
    const thief = anHourLater({
      clock,
      backend: {
        ...one.backend,
        beginUpload: async (name, options) => {
          if (how === 'lost during the run' && !struck) await one.backend.remove(key);
          struck = true;
          return await one.backend.beginUpload(name, options);
        },
      },
    });
    const { archives, storedBytes } = await thief.backup(source);
    expect(storedBytes).toBeGreaterThan(all);
    expect((await archivesOf(one)).filter((name) => archives.includes(name))).toHaveLength(1);
    await expectSame(one, source);
  });

  test('one that an older key has sealed', async () => {
    await storedAndGone();
    const changed = await one.engine.changePassword(one.destination, { newPassword: 'another', newKey: true }, {});
    expect(changed).toBeDefined();
    const two = anHourLater({ clock, backend: one.backend, credentials: { kind: 'password', password: 'another' } });
    await two.backup(source);
    fill('world');
    expect(await sent(two, source)).toBeGreaterThan(all);
    await expectSame(two, source);
  });

  test('what stands in a list that is damaged, and the list before it serves', async () => {
    fill('world');
    await one.backup(source);
    writeFileSync(at('world', 'more'), noise(70, 100_000));
    const { id } = await one.backup(source);
    rmSync(at('world'), { recursive: true });
    await one.backup(source);
    const key = `survival/${id}.manifest`;
    const bytes = Buffer.from(await bytesOf(key));
    await put(one.backend, key, flipped(bytes, bytes.length - 20));
    fill('world');
    writeFileSync(at('world', 'more'), noise(70, 100_000));
    const bytesSent = await sent(one, source);
    expect([bytesSent > 100_000, bytesSent < 100_000 + overhead]).toEqual([true, true]);
    await expectSame(one, source);
  });

  test('one so old that the next snapshot would have to be whole for it; a younger one is built on', async () => {
    const id = await storedAndGone();
    clock.offset += 10 * day;
    await one.backup(source, { whole: 'always', force: true });
    fill('world');
    clock.offset += 6 * day;
    expect(await sent(one, source)).toBeGreaterThan(all);
    // With nothing to be whole for, it is.
    rmSync(at('world'), { recursive: true });
    await one.backup(source, { whole: 'never' });
    fill('again');
    writeFileSync(at('again', 'large'), noise(0, 5));
    expect(await sent(one, source, { whole: 'never' })).toBeLessThan(overhead);
    expect(id).not.toBe('');
  });

  test('everything in a snapshot that is to be whole', async () => {
    await storedAndGone();
    fill('world');
    expect(await sent(one, source, { whole: 'always' })).toBeGreaterThan(all);
  });
});
