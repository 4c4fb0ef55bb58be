import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { headSize, sealedChunk } from '../support/damage.ts';
import { contents, movableClock, newStateDir, put, type World } from '../support/engine-on-memory.ts';
import { anHourLater, expectRestored, hour, sent } from '../support/incremental.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Snapshots of a day that has not come, among others. */

const future = Date.UTC(2099, 0, 1);
const size = 100_000;
const change = (source: string, name: string): void => writeFileSync(join(source, name), randomBytes(size));

function newSource(): string {
  const source = tempFolder();
  for (const name of ['one', 'two', 'three', 'four']) change(source, name);
  return source;
}

describe('a run after one that was dated in the future', () => {
  test.each([
    ['an earlier one', true],
    ['nothing', false],
  ])('goes on from it, and the next ones from what came since, where %s was there before', async (_, before) => {
    const one = anHourLater();
    const source = newSource();
    if (before) await one.backup(source);
    change(source, 'one');
    const { id } = await one.backup(source, { time: future });
    expect(id).toMatch(/^20990101T000000Z-/);
    expect(await one.backup(source)).toMatchObject({ outcome: 'unchanged', id });
    for (const name of ['two', 'three', 'two']) {
      change(source, name);
      const bytes = await sent(one, source);
      expect([bytes > size, bytes < 1.2 * size]).toEqual([true, true]);
      const ids = (await one.engine.snapshots(one.destination, {}, {})).map((row) => row.id);
      const last = ids.at(-2) ?? '';
      expect([ids.at(-1), await one.backup(source)]).toMatchObject([id, { outcome: 'unchanged', id: last }]);
      await expectRestored(one, source, { snapshot: last });
    }
    // It is of no more use for anything than it ever was: nothing but it goes when it is removed.
    expect(await one.prune({ policy: { last: 1 } })).toMatchObject({ keep: [{ id }, {}] });
    expect((await one.verify()).damage).toEqual([]);
  });

  test('that a second future one follows goes on from the one that was written last', async () => {
    const one = anHourLater();
    const source = newSource();
    await one.backup(source);
    change(source, 'one');
    await one.backup(source, { time: future });
    change(source, 'two');
    const { id } = await one.backup(source, { time: future - 365 * 86_400_000 });
    expect(await one.backup(source)).toMatchObject({ outcome: 'unchanged', id });
  });

  test('goes on from the last one also when the time that the other bears comes near and passes', async () => {
    const clock = movableClock();
    const one = anHourLater({ clock, backend: memoryBackend({ clock }) });
    const source = newSource();
    await one.backup(source);
    change(source, 'one');
    await one.backup(source, { time: clock.now() + 690_000 });
    change(source, 'two');
    const { id } = await one.backup(source);
    for (let minutes = 0; minutes < 15; minutes += 3) {
      expect(await one.backup(source)).toMatchObject({ outcome: 'unchanged', id });
      clock.offset += 180_000;
    }
  });

  test('is whole when what it would rest on was stored long enough ago, whatever date that bears', async () => {
    const clock = movableClock();
    const one = anHourLater({ clock, backend: memoryBackend({ clock }) });
    const source = newSource();
    await one.backup(source, { time: future });
    for (const [days, whole] of [
      [29, false],
      [2, true],
      [29, false],
    ] as const) {
      clock.offset += days * 24 * hour;
      change(source, 'one');
      expect((await sent(one, source)) > 4 * size).toBe(whole);
    }
  });

  test('of the classic format finds the folder unchanged since the last one', async () => {
    const one = anHourLater();
    const source = newSource();
    const before = await one.backup(source, { format: 'classic', time: future });
    expect(await one.backup(source, { format: 'classic' })).toMatchObject({ outcome: 'unchanged', id: before.id });
    rmSync(join(source, 'one'));
    const { id } = await one.backup(source, { format: 'classic' });
    expect(await one.backup(source, { format: 'classic' })).toMatchObject({ outcome: 'unchanged', id });
  });
});

test('a server that was taken over from the machine that wrote the future is the new machine’s, for backups, prunes and marks', async () => {
  const first = anHourLater({ machine: 'first' });
  const source = newSource();
  await first.backup(source, { time: future });
  const second: World = anHourLater({ machine: 'second', backend: first.backend, stateDir: newStateDir() });
  await expect(second.backup(source)).rejects.toMatchObject({ code: 'locked' });
  change(source, 'one');
  await second.backup(source, { takeOver: true });
  change(source, 'two');
  expect(await second.backup(source)).toMatchObject({ outcome: 'written' });
  expect(await second.prune({ policy: { last: 1 } })).toMatchObject({ remove: [{}] });
  await expect(first.backup(source)).rejects.toMatchObject({ code: 'locked' });
});

test('a prune reads the manifest that the older ones go for, and not that of the future', async () => {
  const one = anHourLater();
  const source = newSource();
  // So many names that the manifest has a second chunk.
  for (let file = 0; file < 600; file += 1) writeFileSync(join(source, `small-${file}`), randomBytes(20));
  const first = await one.backup(source);
  await one.backup(source, { force: true, time: future });
  change(source, 'one');
  const { id } = await one.backup(source);
  const key = `survival/${id}.manifest`;
  const manifest = (await contents(one.backend)).get(key) ?? Buffer.alloc(0);
  await put(one.backend, key, manifest.fill(0, headSize + sealedChunk, headSize + sealedChunk + 4));
  const report = await one.prune({ policy: { last: 1 } });
  expect([report.remove, report.warnings]).toMatchObject([[], [{ code: 'manifest', message: expect.stringContaining(key) as string }]]);
  expect(await one.verify({ snapshot: first.id })).toMatchObject({ damage: [] });
});

test.each(['archive', 'classic'] as const)(
  '`latest` is the %s snapshot that was written last, and a restore of it warns only where that is the one of the future',
  async (format) => {
    const one = anHourLater();
    const source = newSource();
    const restored = async (): Promise<unknown> => {
      const target = `${tempFolder()}/back`;
      const { id, warnings } = await one.restore(target, { snapshot: 'latest' });
      // Of Buffers that differ vitest would draw the difference for minutes.
      const isSame = (name: string): boolean => readFileSync(join(target, name)).equals(readFileSync(join(source, name)));
      expect(['one', 'two', 'three', 'four'].filter((name) => !isSame(name))).toEqual([]);
      return [id, warnings.map(({ code }) => code)];
    };
    const seen = async (): Promise<unknown> => {
      const newest = await one.engine.newest(one.destination, { server: 'survival' }, {});
      const rows = await one.engine.snapshots(one.destination, {}, {});
      const { snapshots } = await one.verify({ snapshot: 'latest' });
      return [newest?.id, rows.filter((row) => row.newest).map(({ id }) => id), snapshots.map(({ id }) => id)];
    };
    await one.backup(source, { format });
    change(source, 'one');
    const ahead = await one.backup(source, { format, time: future });
    expect([await restored(), await seen()]).toEqual([
      [ahead.id, ['clock']],
      [ahead.id, [ahead.id], [ahead.id]],
    ]);
    for (const name of ['two', 'three']) {
      change(source, name);
      const { id } = await one.backup(source, { format });
      expect([await restored(), await seen()]).toEqual([
        [id, []],
        [id, [id], [id]],
      ]);
    }
  },
);
