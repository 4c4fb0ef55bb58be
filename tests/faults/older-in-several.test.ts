import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { BackupReport, BackupRequest } from '../../main/contract/reports.ts';
import type { OpenDestination } from '../../main/engine/engine.ts';
import { backupRequest, movableClock, newStateDir, type World } from '../support/engine-on-memory.ts';
import { anHourLater, expectSame, hour } from '../support/incremental.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

/* One reading for several destinations finds in older snapshots what all of them hold alike (docs/decisions/0063), and each gets a snapshot that is right. */

const timeout = 120_000;
const mib = 2 ** 20;
const clock = movableClock();
const worldSize = 6 * 300_000 + 9 * mib;
let source = '';
let one: World;
let other: World;
let both: readonly OpenDestination[];

beforeEach(() => {
  source = tempFolder();
  clock.offset = 0;
  const stateDir = newStateDir();
  [one, other] = [1, 2].map(() => anHourLater({ clock, backend: memoryBackend({ clock }), stateDir })) as [World, World];
  both = [one.destination, { ...other.destination, settings: { provider: 'memory', place: 'other' } }];
  writeFileSync(join(source, 'always'), noise(100, 70_000));
});

function fillWorld(): void {
  mkdirSync(join(source, 'a world'));
  for (let file = 0; file < 6; file += 1) writeFileSync(join(source, 'a world', `r${file}`), noise(file, 300_000));
  writeFileSync(join(source, 'a world', 'db'), noise(9, 9 * mib));
}

const aside = (): void => renameSync(join(source, 'a world'), join(tempFolder(), 'a world'));

async function toBoth(request: Partial<BackupRequest> = {}): Promise<readonly BackupReport[]> {
  const outcomes = await one.engine.backupToAll(both, backupRequest(source, request), {});
  clock.offset += hour;
  return outcomes.map((outcome) => (outcome instanceof Fault ? expect.fail(outcome.message) : outcome));
}

test('what one of them alone holds is sent to both, and each gets a snapshot that is right', { timeout }, async () => {
  fillWorld();
  await one.backup(source);
  aside();
  clock.offset += hour;
  // From here on the bases are the same, and only the first destination has the world.
  await toBoth({ whole: 'always', force: true });
  fillWorld();
  for (const { storedBytes } of await toBoth()) expect(storedBytes).toBeGreaterThan(worldSize);
  for (const place of [one, other]) await expectSame(place, source);
});

test('what all of them hold alike in an older snapshot is sent to none', { timeout }, async () => {
  fillWorld();
  await toBoth({ whole: 'always', force: true });
  aside();
  await toBoth({ whole: 'always' });
  fillWorld();
  writeFileSync(join(source, 'new'), noise(300, 100_000));
  for (const { storedBytes, kept } of await toBoth()) {
    expect(storedBytes).toBeLessThan(200_000);
    expect(kept.bytes).toBe(worldSize + 70_000);
  }
  for (const place of [one, other]) await expectSame(place, source);
});

test('a list that is not alike is passed over, and what the next one says is right in each', { timeout }, async () => {
  fillWorld();
  await toBoth({ whole: 'always', force: true });
  aside();
  // At one time, and not of one reading: what is stored lies elsewhere in each.
  writeFileSync(join(source, 'shared'), noise(400, 200_000));
  await one.backup(source, { whole: 'always' });
  writeFileSync(join(source, 'before it'), noise(401, 300_000));
  await other.backup(source, { whole: 'always' });
  for (const name of ['shared', 'before it']) rmSync(join(source, name));
  clock.offset += hour;
  await toBoth({ whole: 'always', force: true });
  fillWorld();
  writeFileSync(join(source, 'shared'), noise(400, 200_000));
  for (const { storedBytes, kept } of await toBoth()) {
    expect([storedBytes > 200_000, storedBytes < 300_000]).toEqual([true, true]);
    expect(kept.bytes).toBe(worldSize + 70_000);
  }
  for (const place of [one, other]) await expectSame(place, source);
});

test('an archive that one of them has lost meanwhile is built on in neither', { timeout }, async () => {
  fillWorld();
  const [, stored] = await toBoth({ whole: 'always', force: true });
  aside();
  await toBoth({ whole: 'always' });
  await other.backend.remove(stored?.archives[0] ?? '');
  fillWorld();
  for (const { storedBytes } of await toBoth()) expect(storedBytes).toBeGreaterThan(worldSize);
  for (const place of [one, other]) await expectSame(place, source);
});
