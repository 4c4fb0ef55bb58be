import { randomBytes } from 'node:crypto';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { OpenDestination } from '../../main/engine/engine.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { flipped } from '../support/damage.ts';
import { backupRequest, keysOf, movableClock, put, type World } from '../support/engine-on-memory.ts';
import { archivesOf, anHourLater, expectSame, hour, sent } from '../support/incremental.ts';
import { tempFolder } from '../support/temp-folder.ts';

const timeout = 600_000;
let source = '';
let one: World;
const clock = movableClock();

/** Three snapshots, of which each has one file more; the second and third rest on the archives before them. */
async function threeRuns(): Promise<{ readonly ids: readonly string[]; readonly archives: readonly string[] }> {
  const ids: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    writeFileSync(join(source, name), Buffer.alloc(60_000, `content of ${name}`));
    ids.push((await one.backup(source)).id);
  }
  return { ids, archives: await archivesOf(one) };
}

beforeEach(() => {
  source = tempFolder();
  clock.offset = 0;
  one = anHourLater({ clock, backend: memoryBackend({ clock }) });
});

async function damage(key: string): Promise<void> {
  const bytes = Buffer.from(await readBytes(one.backend, key, { limit: 2 ** 30 }));
  await put(one.backend, key, flipped(bytes, bytes.length - 300));
}

describe('an archive that a run would build on', () => {
  test('is found damaged: every snapshot that shares it says which files, and the next run sends them again', { timeout }, async () => {
    const { ids, archives } = await threeRuns();
    const [first = ''] = archives;
    const chunk = Buffer.from(await readBytes(one.backend, first, { limit: 2 ** 30 }));
    await put(one.backend, first, flipped(chunk, 200));
    const { damage: found, snapshots } = await one.verify();
    expect(snapshots.map(({ ok }) => ok)).toEqual([false, false, false]);
    const files = found.filter(({ kind }) => kind === 'files').map(({ snapshot, files: lost }) => [snapshot, lost.map(({ path }) => path)]);
    expect(files).toEqual(ids.map((id) => [id, ['a']]));
    expect((await keysOf(one.backend)).filter((key) => key.endsWith('.damaged'))).toEqual([`${first}.damaged`]);
    const { kept, files: count } = await one.backup(source);
    expect(count - kept.files).toBe(1);
    await expectSame(one, source);
  });

  test.each(['gone', 'cut short'])('is %s before the run: what it held is sent again', { timeout }, async (how) => {
    const { archives } = await threeRuns();
    const [, second = ''] = archives;
    if (how === 'gone') await one.backend.remove(second);
    else await put(one.backend, second, (await readBytes(one.backend, second, { limit: 2 ** 30 })).subarray(0, -1));
    const { kept, files } = await one.backup(source);
    expect(files - kept.files).toBe(1);
    await expectSame(one, source);
  });

  test(
    'goes while the run is under way: the run begins anew without it, and nothing is left of a first attempt of one volume',
    { timeout },
    async () => {
      const { archives } = await threeRuns();
      const [, second = ''] = archives;
      writeFileSync(join(source, 'd'), 'new');
      let struck = false;
      const { backend } = one;
      const thief: Backend = {
        ...backend,
        beginUpload: async (key, options) => {
          if (!struck && key.endsWith('.holdfast')) await backend.remove(second);
          struck ||= key.endsWith('.holdfast');
          return await backend.beginUpload(key, options);
        },
      };
      const two = anHourLater({ clock, backend: thief });
      const { id, kept, files, archives: written } = await two.backup(source);
      expect([struck, files - kept.files, written.length]).toEqual([true, 2, 1]);
      await expectSame(one, source);
      const keys = await keysOf(backend);
      expect(keys.filter((key) => key.endsWith('.manifest'))).toHaveLength(4);
      // The archives of the first and third run, and that of the last.
      expect(await archivesOf(one)).toEqual([archives[0], archives[2], `survival/${id}.holdfast`]);
    },
  );
});

test('a listing that lags behind what was written makes no archive gone, be it of this run or of an earlier one', { timeout }, async () => {
  const { archives } = await threeRuns();
  const [, second = ''] = archives;
  writeFileSync(join(source, 'd'), 'new');
  const { backend } = one;
  let writing = false;
  const lagging: Backend = {
    ...backend,
    beginUpload: async (key, options) => {
      writing = true;
      return await backend.beginUpload(key, options);
    },
    async *list(prefix, options) {
      for await (const info of backend.list(prefix, options)) {
        if (!writing || (archives.includes(info.key) && info.key !== second) || !info.key.endsWith('.holdfast')) yield info;
      }
    },
  };
  const { kept, files, id } = await anHourLater({ clock, backend: lagging }).backup(source);
  expect(files - kept.files).toBe(1);
  expect(await archivesOf(one)).toEqual([...archives, `survival/${id}.holdfast`]);
  await expectSame(one, source);
});

test('a restore refuses an archive of an earlier run that has grown, though every frame of it opens', { timeout }, async () => {
  const { archives } = await threeRuns();
  const [first = ''] = archives;
  await put(one.backend, first, Buffer.concat([await readBytes(one.backend, first, { limit: 2 ** 30 }), Buffer.alloc(100)]));
  const target = join(tempFolder(), 'back');
  const message = expect.stringMatching(`${first} has \\d+ bytes instead of`) as unknown;
  await expect(one.restore(target)).rejects.toMatchObject({ code: 'corrupt', message });
});

test('a manifest that is damaged is passed over for the one before', { timeout }, async () => {
  const { ids } = await threeRuns();
  await damage(`survival/${ids[2] ?? ''}.manifest`);
  appendFileSync(join(source, 'a'), 'more');
  const { kept, files } = await one.backup(source);
  // c is only in the third.
  expect(files - kept.files).toBe(2);
  await expectSame(one, source);
});

test('a run that fails touches nothing earlier', { timeout }, async () => {
  await threeRuns();
  const before = await keysOf(one.backend);
  writeFileSync(join(source, 'd'), Buffer.alloc(200_000, 1));
  const { backend } = one;
  const full: Backend = {
    ...backend,
    beginUpload: async (key, options) => {
      if (key.endsWith('.manifest')) throw new Fault('quota-exceeded', 'full', { operation: 'upload' });
      return await backend.beginUpload(key, options);
    },
  };
  await expect(anHourLater({ clock, backend: full }).backup(source)).rejects.toMatchObject({ code: 'quota-exceeded' });
  expect(await keysOf(backend)).toEqual(before);
});

describe('a prune', () => {
  test(
    'keeps what the kept snapshot shares, shows no torn snapshot, and frees all of it with the last that needs it',
    { timeout },
    async () => {
      const { ids, archives } = await threeRuns();
      rmSync(join(source, 'b'));
      const { id } = await one.backup(source);
      const report = await one.prune({ policy: { last: 1 } });
      expect(report.remove.map((row) => row.id).sort()).toEqual([...ids].sort());
      // b lay alone in the second archive.
      expect(await archivesOf(one)).toEqual([archives[0], archives[2]]);
      expect(report.objects.filter((key) => key.endsWith('.manifest'))).toHaveLength(3);
      expect(report.objects.indexOf(archives[1] ?? '')).toBeGreaterThan(2);
      expect((await one.engine.snapshots(one.destination, {}, {})).map((row) => row.id)).toEqual([id]);
      await expectSame(one, source);
      expect((await sent(one, source, { whole: 'always' })) > 0).toBe(true);
      await one.prune({ policy: { last: 1 } });
      // At once, and not only when they are old: archives and their checksum files.
      expect((await keysOf(one.backend)).filter((key) => archives.some((archive) => key.startsWith(archive)))).toEqual([]);
      await expectSame(one, source);
    },
  );

  test('removes no archive while the list of an unfinished run may name it', { timeout }, async () => {
    await threeRuns();
    const before = await archivesOf(one);
    rmSync(join(source, 'b'));
    await one.backup(source);
    const partial = 'survival/20261101T000000Z-aaaaaa.partial';
    // After the manifest, which would otherwise have ended it.
    clock.offset += 60_000;
    await put(one.backend, partial, 'sealed by a later version');
    await one.prune({ policy: { last: 1 } });
    expect(await archivesOf(one)).toEqual(before);
    clock.offset = 15 * 24 * hour;
    await one.prune({ policy: { last: 1 } });
    expect([await archivesOf(one), (await keysOf(one.backend)).includes(partial)]).toEqual([[before[0], before[2]], false]);
  });
});

describe('several destinations', () => {
  test('that hold the same share a reading; one that was away gets what it lacks, and the other nothing twice', { timeout }, async () => {
    const places: OpenDestination[] = ['one', 'two'].map((place) => ({
      backend: memoryBackend({ clock }),
      credentials: { kind: 'password', password: `password of ${place}` },
      settings: { place },
    }));
    const [near, away] = places;
    if (near === undefined || away === undefined) throw new Error('no places');
    const read: (readonly number[])[] = [];
    let readings = 0;
    const counted = anHourLater({
      clock,
      host: {
        packer: (request, targets, run) => {
          readings += 1;
          return one.host.packer(request, targets, run);
        },
      },
    });
    const run = async (name: string, to: readonly OpenDestination[]): Promise<void> => {
      writeFileSync(join(source, name), Buffer.alloc(60_000, name));
      readings = 0;
      const reports = await counted.engine.backupToAll(to, backupRequest(source), {});
      read.push([readings, ...reports.map((report) => (report instanceof Fault ? -1 : report.files - report.kept.files))]);
    };
    await run('a', places);
    await run('b', places);
    await run('c', [near]);
    await run('d', places);
    await run('e', places);
    expect(read).toEqual([
      [1, 1, 1],
      [1, 1, 1],
      [1, 1],
      [2, 1, 2],
      // Their lines differ until both are whole again.
      [2, 1, 1],
    ]);
    for (const { backend, credentials } of places) await expectSame(anHourLater({ clock, backend, credentials }), source);
  });
});

describe('a manifest', () => {
  /** So many names that the end of the manifest is far behind its first line, which is all that most commands read of it. */
  async function longManifests(): Promise<readonly [string, string]> {
    for (let index = 0; index < 1_500; index += 1) writeFileSync(join(source, randomBytes(16).toString('hex')), '');
    writeFileSync(join(source, 'a'), 'first');
    const first = (await one.backup(source)).id;
    writeFileSync(join(source, 'a'), 'second');
    return [first, (await one.backup(source)).id];
  }

  async function damageEnd(id: string): Promise<void> {
    const key = `survival/${id}.manifest`;
    const bytes = Buffer.from(await readBytes(one.backend, key, { limit: 2 ** 30 }));
    expect(bytes.length).toBeGreaterThan(40_000);
    await put(one.backend, key, flipped(bytes, bytes.length - 3_000));
  }

  test('that is damaged behind its first line lets no older snapshot go: without a map all data would be lost', { timeout }, async () => {
    const [first, second] = await longManifests();
    await damageEnd(second);
    const { remove, warnings, objects } = await one.prune({ policy: { last: 1 } });
    expect([remove, objects, warnings.map(({ code }) => code)]).toEqual([[], [], ['manifest']]);
    expect(await keysOf(one.backend)).toContain(`survival/${first}.manifest`);
    // A further run brings a whole one, and then the rules hold again.
    writeFileSync(join(source, 'a'), 'third');
    const { id } = await one.backup(source);
    expect((await one.prune({ policy: { last: 1 } })).keep.map((kept) => kept.id)).toContain(id);
    await expectSame(one, source);
  });

  test('of two places one is damaged at its end: both get a new snapshot', { timeout }, async () => {
    const [, second] = await longManifests();
    const other: OpenDestination = {
      ...{ ...one.destination, backend: memoryBackend({ clock }) },
      settings: { provider: 'folder', path: '/elsewhere' },
    };
    await one.engine.backup(other, backupRequest(source), {});
    await damageEnd(second);
    appendFileSync(join(source, 'a'), ', and more');
    const outcomes = await one.engine.backupToAll([one.destination, other], backupRequest(source), {});
    expect(outcomes.map((outcome) => (outcome instanceof Fault ? outcome.message : outcome.outcome))).toEqual(['written', 'written']);
    await expectSame(one, source);
  });
});
