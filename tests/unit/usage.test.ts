import { describe, expect, test } from 'vitest';
import type { ServerUsage, UsageReport } from '../../main/contract/look-reports.ts';
import { forecastOf, growthOf, rateOf, reachedAt } from '../../main/engine/jobs/usage-growth.ts';
import type { PartialHeader } from '../../main/engine/snapshots/manifest.ts';
import { writePartial } from '../../main/engine/snapshots/partial-store.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import { craftSnapshot } from '../support/craft-snapshot.ts';
import { contents, holding, movableClock, newStateDir, put, world, type World } from '../support/engine-on-memory.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { craftShared, type Shared } from '../support/shared-snapshots.ts';

const dayMs = 86_400_000;
const start = Date.UTC(2026, 9, 1);
const usage = (one: World, request: { server?: string; cap?: number } = {}): Promise<UsageReport> =>
  one.engine.usage(one.destination, request, {});

async function serverOf(one: World): Promise<ServerUsage> {
  const [server] = (await usage(one)).servers;
  if (server === undefined) throw new Error('there is no server');
  return server;
}

/** Content that takes as many bytes as it has. */
const block = (seed: number, length: number): Buffer => Buffer.from(seededRandom(seed).bytes(length));

/**
 * Three snapshots a day apart: the second borrows both frames of the first, the third one frame of the first and the one of the second. It is
 * some days later now, so that what is left over is old.
 */
async function chain(): Promise<{ one: World; a: Shared; b: Shared; c: Shared }> {
  const clock = movableClock(start);
  const one = world({ clock });
  const a = await craftShared(one, { time: start, own: [block(1, 40_000), block(2, 60_000)] });
  const b = await craftShared(one, { time: start + dayMs, own: [block(3, 20_000)], borrowed: [{ from: a, frames: [0, 1] }] });
  const borrowed = [
    { from: a, frames: [1] },
    { from: b, frames: [0] },
  ];
  const c = await craftShared(one, { time: start + 2 * dayMs, own: [block(4, 10_000)], borrowed });
  clock.offset += 5 * dayMs;
  return { one, a, b, c };
}

const sizeOf = async (one: World, ...keys: readonly string[]): Promise<number> => {
  let sum = 0;
  for (const key of keys) sum += (await one.backend.stat(key)).size;
  return sum;
};
const total = async (one: World, prefix = 'survival/'): Promise<number> =>
  [...(await contents(one.backend, prefix)).values()].reduce((sum, { length }) => sum + length, 0);

/** What a prune really frees that removes this snapshot alone: on a copy, with all others pinned and one more behind them. */
async function freedByPrune(one: World, id: string, ids: readonly string[]): Promise<number> {
  // What is there is old by the clock that the copy goes by then.
  const clock = movableClock(start);
  const copy = world({ backend: await holding(await contents(one.backend), clock), clock, stateDir: newStateDir() });
  clock.offset += 5 * dayMs;
  for (const other of ids) if (other !== id) await put(copy.backend, `survival/${other}.pin`, '');
  await craftShared(copy, { time: start + 3 * dayMs, own: ['behind them'] });
  const before = await total(copy);
  const { remove } = await copy.prune({ policy: { last: 1 } });
  expect(remove.map((removed) => removed.id)).toEqual([id]);
  return before - (await total(copy));
}

describe('what a snapshot would free if it alone were removed', () => {
  test('is just what a prune frees that removes it', async () => {
    const { one, a, b, c } = await chain();
    const { snapshots } = await serverOf(one);
    const ids = [a.id, b.id, c.id];
    expect(snapshots.map(({ id }) => id)).toEqual(ids);
    for (const { id, freedBytes } of snapshots) expect([id, freedBytes]).toEqual([id, await freedByPrune(one, id, ids)]);
    // The first two are shared, and so go with none of them alone.
    expect(snapshots[0]?.freedBytes).toBe(await sizeOf(one, a.manifest));
    expect(snapshots[2]?.freedBytes).toBe(await sizeOf(one, c.manifest, c.archive, `${c.archive}.sha256`));
  });

  test('is the archive of a removed one too, where it is the last that names it', async () => {
    const { one, a, b, c } = await chain();
    await one.backend.remove(a.manifest);
    await one.backend.remove(b.manifest);
    const { snapshots } = await serverOf(one);
    expect(snapshots.map(({ id }) => id)).toEqual([c.id]);
    const archives = [a, b, c].flatMap(({ archive }) => [archive, `${archive}.sha256`]);
    expect(snapshots[0]?.freedBytes).toBe(await sizeOf(one, c.manifest, ...archives));
  });

  test('is no archive at all while a manifest cannot be read, and that is said', async () => {
    const { one, b, c } = await chain();
    await put(one.backend, b.manifest, 'HOLDFAST: nothing that could be a manifest');
    const report = await usage(one);
    const [server] = report.servers;
    expect(report.warnings.map(({ message }) => message)).toEqual([expect.stringContaining(b.id)]);
    expect(server?.snapshots.map(({ id, state, bytes }) => [id, state, bytes === null])).toContainEqual([b.id, 'damaged', true]);
    expect(server?.snapshots.find(({ id }) => id === c.id)?.freedBytes).toBe(await sizeOf(one, c.manifest));
    expect(server?.unnamedBytes).toBe(0);
  });
});

describe('what a run that did not end has written down', () => {
  /** Two snapshots, and a run behind them of which one volume is there, which took over the archive of the first. */
  async function unfinished(): Promise<{ one: World; clock: ReturnType<typeof movableClock>; a: Shared; left: Shared; key: string }> {
    const clock = movableClock(start);
    const one = world({ clock });
    const a = await craftShared(one, { time: start, own: [block(1, 40_000)] });
    await craftShared(one, { time: start + dayMs, own: [block(2, 30_000)] });
    const left = await craftShared(one, { time: start + 2 * dayMs, own: [block(3, 20_000)] });
    await one.backend.remove(left.manifest);
    clock.offset += dayMs;
    const key = `survival/${left.id}.partial`;
    const header: PartialHeader = {
      holdfast: 'partial',
      version: 1,
      id: left.id,
      slug: 'survival',
      server: 'survival',
      machine: 'machine-one',
      host: 'machine-one',
      time: new Date(start + 2 * dayMs).toISOString(),
      root: '/srv',
      archives: [left.archiveInfo, a.archiveInfo],
    };
    const vault = await loadVault(one.backend, { credentials: one.destination.credentials });
    await writePartial(one.host, one.backend, vault, { key, header, lines: { size: 0, read: async function* () {} } }, {});
    clock.offset += 5 * dayMs;
    return { one, clock, a, left, key };
  }
  const freed = async (one: World): Promise<readonly (number | null)[]> => {
    const said = (await serverOf(one)).snapshots[0]?.freedBytes ?? null;
    return [said, (await one.prune({ policy: { last: 1 }, dryRun: true })).freedBytes];
  };

  test('stays when a snapshot goes that needs it too, as a prune leaves it', async () => {
    const { one, a, left, key } = await unfinished();
    const manifest = await sizeOf(one, a.manifest);
    expect(await freed(one)).toEqual([manifest, manifest]);
    const { unfinishedBytes, unnamedBytes } = await serverOf(one);
    expect([unfinishedBytes, unnamedBytes]).toEqual([await sizeOf(one, left.archive, `${left.archive}.sha256`, key), 0]);
  });

  test('is not known where it cannot be read: then no archive goes', async () => {
    const { one, a, left, key } = await unfinished();
    await put(one.backend, key, 'HOLDFAST: nothing that could be a partial');
    const manifest = await sizeOf(one, a.manifest);
    expect(await freed(one)).toEqual([manifest, manifest]);
    const { unfinishedBytes, unnamedBytes } = await serverOf(one);
    expect([unfinishedBytes, unnamedBytes]).toEqual([await sizeOf(one, left.archive, `${left.archive}.sha256`, key), 0]);
  });

  test('keeps nothing after 14 days: it is left over, and a prune takes it', async () => {
    const { one, clock, a, left, key } = await unfinished();
    clock.offset += 10 * dayMs;
    const own = await sizeOf(one, a.manifest, a.archive, `${a.archive}.sha256`);
    const leftOver = await sizeOf(one, left.archive, `${left.archive}.sha256`, key);
    expect(await freed(one)).toEqual([own, own + leftOver]);
    const { unfinishedBytes, unnamedBytes } = await serverOf(one);
    expect([unfinishedBytes, unnamedBytes]).toEqual([0, leftOver]);
  });
});

describe('what is stored', () => {
  test('is told apart by who needs it, and adds up', async () => {
    const { one, a, c } = await chain();
    const all = await serverOf(one);
    expect(all).toMatchObject({ deadBytes: 0, unnamedBytes: 0, unfinishedBytes: 0, storedBytes: await total(one) });
    expect(all.liveBytes).toBe(all.storedBytes);

    // Without its manifest the second still needs both frames of the first; without that one too, the third needs but one of them.
    await one.backend.remove(a.manifest);
    expect((await serverOf(one)).deadBytes).toBeLessThan(1000);
    await one.backend.remove(`survival/${(await serverOf(one)).snapshots[0]?.id ?? ''}.manifest`);
    const last = await serverOf(one);
    expect(last.snapshots.map(({ id }) => id)).toEqual([c.id]);
    expect(last.deadBytes).toBeGreaterThanOrEqual(40_000);
    expect(last.deadBytes).toBeLessThan(42_000);
    expect(last.liveBytes + last.deadBytes).toBe(last.storedBytes);

    await one.backend.remove(c.manifest);
    const none = await serverOf(one);
    expect([none.snapshots, none.unnamedBytes, none.unfinishedBytes]).toEqual([[], await total(one), 0]);
  });

  test('a frame that two snapshots name is needed once', async () => {
    const one = world({ clock: movableClock(start) });
    const a = await craftShared(one, { time: start, own: [block(1, 40_000), block(2, 60_000)] });
    for (const day of [1, 2]) {
      await craftShared(one, { time: start + day * dayMs, own: [`own of ${day}`], borrowed: [{ from: a, frames: [1] }] });
    }
    await one.backend.remove(a.manifest);
    const { deadBytes } = await serverOf(one);
    expect(deadBytes).toBeGreaterThanOrEqual(40_000);
    expect(deadBytes).toBeLessThan(42_000);
  });

  test('by a run that has not ended is not called left over: not within two days, and not beside its notes', async () => {
    const clock = movableClock(start);
    const one = world({ clock });
    const left = await craftSnapshot(one, { time: start });
    await one.backend.remove(left.manifest);
    const young = await serverOf(one);
    expect([young.unfinishedBytes, young.unnamedBytes]).toEqual([young.storedBytes, 0]);
    clock.offset += 3 * dayMs;
    const old = await serverOf(one);
    expect([old.unfinishedBytes, old.unnamedBytes]).toEqual([0, old.storedBytes]);
    await put(one.backend, `survival/${left.id}.partial`, 'notes of the run');
    const noted = await serverOf(one);
    expect([noted.unfinishedBytes, noted.unnamedBytes]).toEqual([noted.storedBytes, 0]);
  });

  test('is told for each server, and of one that is named for that alone', async () => {
    const { one } = await chain();
    await craftShared(one, { time: start, own: ['another'], slug: 'creative' });
    const both = await usage(one);
    expect(both.servers.map(({ slug }) => slug)).toEqual(['creative', 'survival']);
    expect(both.storedBytes).toBe((await total(one, 'creative/')) + (await total(one)));
    expect((await usage(one, { server: 'creative' })).servers.map(({ slug }) => slug)).toEqual(['creative']);
  });
});

describe('growth', () => {
  test('the rate is of what came after the first snapshot, in the last 30 days, and is none before a day is over', () => {
    const base = { time: start, bytes: 1000 };
    expect(rateOf([base], start + dayMs / 2)).toBeNull();
    expect(rateOf([base], start + 2 * dayMs)).toBe(0);
    expect(rateOf([base, { time: start + dayMs, bytes: 40 }], start + 4 * dayMs)).toBe(10);
    const daily = Array.from({ length: 100 }, (_, day) => ({ time: start + day * dayMs, bytes: day < 60 ? 5 : 7 }));
    expect(rateOf(daily, start + 99 * dayMs)).toBe(7);
    expect(rateOf([], start)).toBeNull();
  });

  test('is told by days at first and by months later, with what was there by then', () => {
    const at = (day: number, bytes: number): { time: number; bytes: number } => ({ time: start + day * dayMs, bytes });
    expect(growthOf([at(1, 5), at(0, 100), at(1, 6)])).toEqual([
      { period: '2026-10-01', addedBytes: 100, storedBytes: 100 },
      { period: '2026-10-02', addedBytes: 11, storedBytes: 111 },
    ]);
    expect(growthOf([at(0, 100), at(40, 5), at(41, 1)]).map(({ period, storedBytes }) => [period, storedBytes])).toEqual([
      ['2026-10', 100],
      ['2026-11', 106],
    ]);
    expect(growthOf([])).toEqual([]);
  });

  test('the forecast goes on at the rate, and says when a cap is reached', async () => {
    expect(forecastOf(100, 2)).toEqual({ bytesPerDay: 2, in30Days: 160, in90Days: 280 });
    expect(forecastOf(100, null)).toBeNull();
    expect(reachedAt(200, 100, 10, start)).toBe(start + 10 * dayMs);
    expect(reachedAt(100, 100, null, start)).toBe(start);
    expect(reachedAt(200, 100, 0, start)).toBeNull();
    expect(reachedAt(200, 100, null, start)).toBeNull();
    expect(reachedAt(1e15, 0, 1e-9, start)).toBeNull();

    const { one } = await chain();
    const { forecast, storedBytes } = await usage(one);
    // Two snapshots came in the five days and their fractions since the first.
    expect(forecast?.bytesPerDay).toBeGreaterThan(30_000 / 5.1);
    expect(forecast?.bytesPerDay).toBeLessThan(36_000 / 5);
    const { cap } = await usage(one, { cap: storedBytes + 10 * (forecast?.bytesPerDay ?? 0) });
    expect((Date.parse(cap?.reachedAt ?? '') - one.host.clock.now()) / dayMs).toBeCloseTo(10, 1);
  });
});
