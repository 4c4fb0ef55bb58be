import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { openedCatalog, listServer } from '../../main/engine/snapshots/catalog.ts';
import { readHeader } from '../../main/engine/snapshots/headers.ts';
import type { ManifestHeader } from '../../main/engine/snapshots/manifest.ts';
import { snapshotTime } from '../../main/engine/snapshots/names.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import { movableClock, type World } from '../support/engine-on-memory.ts';
import { anHourLater } from '../support/incremental.ts';
import { tempFolder } from '../support/temp-folder.ts';

const minute = 60_000;
const year = 365 * 24 * 60 * minute;
/** The provider's time, to which this computer's bears no relation but the test's. */
const theirs = movableClock(Date.UTC(2031, 4, 6, 7, 8, 9));

/** A destination by the provider's clock, and a computer whose own is off by so much. */
function worldOff(ms: number): World & { readonly ours: ReturnType<typeof movableClock> } {
  const ours = movableClock(theirs.now() + ms);
  return { ...anHourLater({ backend: memoryBackend({ clock: theirs }), clock: ours }), ours };
}

function newSource(): string {
  const source = tempFolder();
  writeFileSync(join(source, 'level.dat'), 'blocks');
  return source;
}

/** The first lines of all manifests, oldest first, as another computer reads them. */
async function headers({ backend, destination, host }: World): Promise<readonly ManifestHeader[]> {
  const catalog = openedCatalog(backend, await loadVault(backend, { credentials: destination.credentials }), host);
  const { snapshots } = await listServer(backend, 'survival', {});
  const found = await Promise.all(snapshots.map((one) => readHeader(catalog, one, {})));
  return found as ManifestHeader[];
}

describe('a snapshot bears', () => {
  test.each([
    [11 * minute, '11 minutes ahead of'],
    [-11 * minute, '11 minutes behind'],
    [3 * year, `${3 * 365 * 24 * 60} minutes ahead of`],
    [-20 * year, `${20 * 365 * 24 * 60} minutes behind`],
  ])('the provider’s time where this computer’s clock is off by %i ms, and both it and the run say so', async (off, words) => {
    const one = worldOff(off);
    const before = Math.floor(theirs.now() / 1000) * 1000;
    const { id, warnings } = await one.backup(newSource());
    const told = { code: 'clock', message: `this computer's clock is ${words} the backup place's, whose time was used` };
    // A warning, not a note: the run ends with 3.
    expect(warnings).toEqual([told]);
    const [header] = await headers(one);
    expect(header).toMatchObject({ id, warnings: [told] });
    for (const time of [snapshotTime(id), Date.parse(header?.time ?? '')]) {
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(theirs.now());
    }
    // A wrong clock is no flaw of the snapshot; one by which the snapshot is not yet made sees that.
    expect(await one.engine.snapshots(one.destination, {}, {})).toMatchObject([
      { id, complete: true, ...(off < 0 ? { problem: 'dated in the future' } : {}) },
    ]);
    one.ours.offset = theirs.offset;
    expect((await one.engine.snapshots(one.destination, {}, {}))[0]).not.toHaveProperty('problem');
  });

  test.each([9 * minute, -9 * minute])('this computer’s own time where that is off by %i ms only, and nobody is told', async (off) => {
    const one = worldOff(off);
    const before = Math.floor(one.ours.now() / 1000) * 1000;
    const { id, warnings } = await one.backup(newSource());
    expect(warnings).toEqual([]);
    expect(await headers(one)).toMatchObject([{ id, warnings: [] }]);
    expect(snapshotTime(id)).toBeGreaterThanOrEqual(before);
    expect(snapshotTime(id)).toBeLessThanOrEqual(one.ours.now());
  });

  test('the time that a person named, whatever the clocks say', async () => {
    const one = worldOff(3 * year);
    const time = Date.UTC(2020, 1, 2, 3, 4, 5);
    const { id, warnings } = await one.backup(newSource(), { time });
    expect(snapshotTime(id)).toBe(time);
    expect(warnings).toMatchObject([{ code: 'clock' }]);
  });
});

test('ids go on in order while the clock jumps about between the runs', async () => {
  const one = worldOff(0);
  const source = newSource();
  const ids: string[] = [];
  for (const off of [0, 5 * year, -5 * year, 30 * minute, -30 * minute, 0]) {
    one.ours.offset = theirs.offset + off;
    ids.push((await one.backup(source, { force: true })).id);
  }
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(6);
  expect((await headers(one)).map(({ id, warnings }) => [id, warnings.length])).toEqual(ids.map((id, at) => [id, at % 5 === 0 ? 0 : 1]));
});

test.each(['archive', 'classic'] as const)(
  'an unchanged folder gets no %s snapshot for the wrong clock alone, neither while it is wrong nor once it is right again',
  async (format) => {
    const one = worldOff(3 * year);
    const source = newSource();
    const { id } = await one.backup(source, { format });
    expect(await one.backup(source, { format })).toMatchObject({ outcome: 'unchanged', id });
    one.ours.offset = theirs.offset;
    expect(await one.backup(source, { format })).toMatchObject({ outcome: 'unchanged', id });
    writeFileSync(join(source, 'level.dat'), 'other blocks');
    expect(await one.backup(source, { format })).toMatchObject({ outcome: 'written' });
  },
);
