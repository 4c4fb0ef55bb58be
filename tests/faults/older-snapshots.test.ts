import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import { findObject, listServer } from '../../main/engine/snapshots/catalog.ts';
import { readPartialHeader } from '../../main/engine/snapshots/partial-store.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { backupRequest, keysOf, movableClock, newStateDir, type World } from '../support/engine-on-memory.ts';
import { anHourLater, expectSame, hour } from '../support/incremental.ts';
import { mortal } from '../support/mortal.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

/* Looking into older snapshots (docs/decisions/0063) ends no backup, holds none up, and what comes of it outlives a run that is cut off. */

const timeout = 120_000;
const mib = 2 ** 20;
const volumeSize = mib;
const clock = movableClock();
const stateDir = newStateDir();
let source = '';
let backend: Backend;
let one: World;
/** The first snapshot alone has the world. */
let first = '';
const worldSize = 6 * 300_000 + 9 * mib;

function fillWorld(): void {
  mkdirSync(join(source, 'a world'));
  for (let file = 0; file < 6; file += 1) writeFileSync(join(source, 'a world', `r${file}`), noise(file, 300_000));
  writeFileSync(join(source, 'a world', 'db'), noise(9, 9 * mib));
}

beforeEach(async () => {
  source = tempFolder();
  clock.offset = 0;
  backend = memoryBackend({ clock });
  one = anHourLater({ backend, clock, stateDir });
  writeFileSync(join(source, 'always'), noise(100, 70_000));
  fillWorld();
  first = (await one.backup(source)).id;
  clock.offset += hour;
  rmSync(join(source, 'a world'), { recursive: true });
  // Whole, so that it names nothing of the first one.
  await one.backup(source, { whole: 'always' });
  clock.offset += hour;
});

describe('a list that cannot be fetched', { timeout }, () => {
  /** Reading the first snapshot's manifest, which is older than the base, does this. */
  const withRead = (read: (signal: AbortSignal | undefined) => Promise<never>): World =>
    anHourLater({
      clock,
      backend: {
        ...backend,
        read: (key, options) => (key.endsWith(`${first}.manifest`) ? read(options?.signal) : backend.read(key, options)),
      },
    });

  test('as nothing is reached: what it has is sent again', async () => {
    fillWorld();
    let asked = 0;
    const two = withRead(async () => {
      asked += 1;
      throw new Fault('unavailable', 'nothing is reached', { operation: 'read' });
    });
    const { kept, warnings } = await two.backup(source);
    expect([asked, kept.files, warnings]).toEqual([1, 1, []]);
    await expectSame(one, source);
  });

  test('as the program is wrong: the run ends, and says why', async () => {
    fillWorld();
    const two = withRead(() => Promise.reject(new TypeError('this is not a function')));
    await expect(two.backup(source)).rejects.toMatchObject({ code: 'unexpected', message: 'this is not a function' });
    expect((await keysOf(backend)).filter((key) => key.endsWith('.manifest'))).toHaveLength(2);
  });

  test('as no answer comes: a run that is cancelled ends at once', async () => {
    fillWorld();
    const stop = new AbortController();
    let ended = false;
    const two = withRead(
      (signal) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            ended = true;
            reject(new Fault('cancelled', 'cancelled', { operation: 'read' }));
          });
          setTimeout(() => stop.abort(), 100);
        }),
    );
    const run = two.engine.backup(two.destination, backupRequest(source), { signal: stop.signal });
    let settled = false;
    void run.catch(() => undefined).finally(() => (settled = true));
    await expect.poll(() => stop.signal.aborted, { timeout: 20_000 }).toBe(true);
    const since = Date.now();
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect([settled, ended, Date.now() - since < 2000]).toEqual([true, true, true]);
  });

  test('as no answer comes, and the destination fails: the run ends with what that says', async () => {
    // A frame and more of files that are not looked for: a volume is begun.
    for (let file = 0; file < 90; file += 1) writeFileSync(join(source, `0 ${file}`), noise(1000 + file, 60_000));
    fillWorld();
    let waits: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (waits = resolve));
    const two = withRead((signal) => {
      waits();
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(new Fault('cancelled', 'cancelled', { operation: 'read' })));
      });
    });
    const full = anHourLater({
      clock,
      backend: {
        ...two.backend,
        beginUpload: async (key, options) => {
          if (!key.endsWith('.holdfast')) return await backend.beginUpload(key, options);
          await isAsked;
          throw new Fault('quota-exceeded', 'it is full', { operation: 'upload' });
        },
      },
    });
    await expect(full.backup(source)).rejects.toMatchObject({ code: 'quota-exceeded' });
  });
});

describe('a run that has found a world in an older snapshot, and is cut off after a volume', { timeout }, () => {
  async function cutOff(): Promise<void> {
    fillWorld();
    for (let file = 0; file < 8; file += 1) writeFileSync(join(source, `new${file}`), noise(200 + file, 300_000));
    const { backend: on, isDead } = mortal(
      backend,
      ({ verb, target }, when) => verb === 'complete' && when === 'after' && target.endsWith('.partial'),
    );
    await expect(anHourLater({ backend: on, clock, stateDir }).backup(source, { volumeSize })).rejects.toBeInstanceOf(Fault);
    expect(isDead()).toBe(true);
    clock.offset += hour;
  }

  const partialsOf = async (): Promise<string[]> => (await keysOf(backend)).filter((key) => key.endsWith('.partial'));

  test('has written down which older archive it rests on: a prune keeps that, and the next run sends the rest', async () => {
    await cutOff();
    const [partial = ''] = await partialsOf();
    const vault = await loadVault(backend, { credentials: one.destination.credentials });
    const header = await readPartialHeader(one.host.zstd, backend, vault, partial, {});
    expect(header.archives.map(({ key }) => key)).toContain(`survival/${first}.holdfast`);
    expect(header.takenOver).toBeUndefined();

    await one.prune({ policy: { last: 1 } });
    const survivors = await listServer(backend, 'survival', {});
    expect(findObject(survivors.snapshots.find(({ id }) => id === first) ?? { id: '', slug: '', objects: [] }, 'manifest')).toBeNull();
    const { backend: counted, sentBytes } = mortal(backend, () => false);
    const { kept } = await anHourLater({ backend: counted, clock, stateDir }).backup(source, { volumeSize });
    expect(kept.bytes).toBeGreaterThanOrEqual(worldSize + 70_000);
    expect(sentBytes()).toBeLessThan(8 * 300_000);
    await expectSame(one, source);
    await one.prune({ policy: { last: 1 } });
    await expectSame(one, source);
  });

  test('gives a whole snapshot its own volume and nothing of the older archive, though that lacks its manifest', async () => {
    // Another snapshot names the first one's archive, and the last does not.
    clock.offset += hour;
    fillWorld();
    await one.backup(source, { whole: 'never' });
    rmSync(join(source, 'a world'), { recursive: true });
    clock.offset += hour;
    await one.backup(source, { whole: 'always' });
    clock.offset += hour;
    await cutOff();
    await backend.remove(`survival/${first}.manifest`);
    const { backend: counted, sentBytes } = mortal(backend, () => false);
    const whole = await anHourLater({ backend: counted, clock, stateDir }).backup(source, { volumeSize, whole: 'always' });
    expect(sentBytes()).toBeGreaterThan(worldSize);
    const rows = await one.engine.snapshots(one.destination, {}, {});
    expect(rows.at(-1)).toMatchObject({ id: whole.id, sharedBytes: 0, complete: true });
    await expectSame(one, source);
  });
});

test('an archive that only an older snapshot names goes during the run: the run begins anew without it', { timeout }, async () => {
  fillWorld();
  writeFileSync(join(source, 'new'), noise(300, 100_000));
  let begun = 0;
  const thief = anHourLater({
    clock,
    backend: {
      ...backend,
      beginUpload: async (key, options) => {
        if (key.endsWith('.holdfast')) begun += 1;
        if (begun > 0) await backend.remove(`survival/${first}.holdfast`);
        // Each time it would be lost anew.
        if (begun > 2) throw new Fault('unavailable', 'it does not end', { operation: 'upload' });
        return await backend.beginUpload(key, options);
      },
    },
  });
  const { kept } = await thief.backup(source);
  expect([begun, kept.files]).toEqual([2, 1]);
  await expectSame(one, source);
});
