import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import { classicKey, manifestKey } from '../../main/engine/snapshots/names.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { flipped } from '../support/damage.ts';
import { keysOf, movableClock, openedByKey, put, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

const hour = 3_600_000;
const limit = 2 ** 26;

interface Series {
  readonly one: World;
  /** Of the computer and the provider. */
  readonly clock: { offset: number };
  readonly folder: string;
  /** Oldest first; the second is the one that is damaged. */
  readonly ids: readonly string[];
  /** What is damaged: the second's manifest or classic file. */
  readonly key: string;
  readonly whole: Buffer;
}

async function series(format: 'archive' | 'classic', count: number, damage: (whole: Buffer) => Buffer): Promise<Series> {
  const clock = movableClock(Date.now() - 10 * hour);
  const one = world({ clock });
  const folder = tempFolder();
  // Enough of them that their manifest has more than one chunk.
  for (let file = 0; file < 800; file += 1) writeFileSync(join(folder, `f${1000 + file}`), `${Math.random()} of ${file}`);
  const ids: string[] = [];
  for (let run = 0; run < count; run += 1) {
    writeFileSync(join(folder, 'changed'), `${run}`);
    ids.push((await one.backup(folder, { format, whole: 'always' })).id);
    clock.offset += hour;
  }
  const key = (format === 'classic' ? classicKey : manifestKey)('survival', ids[1] ?? '');
  const whole = Buffer.from(await readBytes(one.backend, key, { limit }));
  await put(one.backend, key, damage(whole));
  return { one, clock, folder, ids, key, whole };
}

const cases = [
  { format: 'archive', name: 'a manifest with a byte altered near its end', damage: (whole: Buffer) => flipped(whole, -300) },
  { format: 'archive', name: 'a manifest that was cut', damage: (whole: Buffer) => whole.subarray(0, 20_000) },
  { format: 'classic', name: 'a classic file with a byte altered', damage: (whole: Buffer) => flipped(whole, 60) },
  { format: 'classic', name: 'a classic file without a byte', damage: () => Buffer.alloc(0) },
] as const;

async function fault(act: Promise<unknown>): Promise<Fault> {
  const error: unknown = await act.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Fault);
  return error as Fault;
}

describe.each(cases)('$name', ({ format, damage }) => {
  test('is marked by a verification, and from then on its snapshot does not count: not for retention, a list, a quick look, or as a way out', async () => {
    const { one, folder, ids, key, whole } = await series(format, 2, damage);
    expect((await one.verify()).snapshots.map(({ ok }) => ok)).toEqual([true, false]);
    expect(await keysOf(one.backend)).toContain(`${key}.damaged`);

    expect((await one.engine.snapshots(one.destination, {}, {})).map(({ complete }) => complete)).toEqual([true, false]);
    const quick = await one.verify({ quick: true });
    expect(quick.snapshots.map(({ ok }) => ok)).toEqual([true, false]);
    expect(quick.damage.map(({ object }) => object)).toEqual([key]);
    const usage = await one.engine.usage(one.destination, {}, {});
    expect(usage.servers[0]?.snapshots.map(({ state }) => state)).toEqual(['whole', 'damaged']);

    const report = await one.prune({ policy: { last: 1 } });
    expect([report.keep.map(({ id }) => id), report.remove]).toEqual([[ids[0]], []]);
    expect(report.warnings.map(({ message }) => message).join()).toContain(key);

    const lost = await fault(one.restore(join(tempFolder(), 'back'), { snapshot: ids[1] ?? '' }));
    expect(lost.context['next']).toContain(`the snapshot before it that is not known to be damaged: ${ids[0]}.`);

    // The folder is as it was when that snapshot was made: it proves nothing any more.
    const next = await one.backup(folder, { format });
    expect(next.outcome).toBe('written');
    expect((await one.verify({ snapshot: next.id })).damage).toEqual([]);

    await put(one.backend, key, whole);
    expect((await one.verify()).damage).toEqual([]);
    expect((await keysOf(one.backend)).filter((name) => name.endsWith('.damaged'))).toEqual([]);
    expect((await one.verify({ quick: true })).damage).toEqual([]);
  });

  test('in the middle of others takes none of their places, and goes when somebody removes it', async () => {
    const { one, clock, ids, key } = await series(format, 3, damage);
    await one.verify();
    const kept = await one.prune({ policy: { last: 2 } });
    expect([kept.keep.map(({ id }) => id), kept.remove]).toEqual([[ids[2], ids[0]], []]);
    expect((await one.prune({ policy: { last: 1 } })).remove.map(({ id }) => id)).toEqual([ids[0]]);

    await one.backend.remove(key);
    clock.offset += 49 * hour;
    expect((await one.prune({ policy: { last: 1 } })).objects).toContain(`${key}.damaged`);
    expect((await keysOf(one.backend)).filter((name) => name.endsWith('.damaged'))).toEqual([]);
  });
});

test('an altered manifest: a salvage brings back what its list still names, says what it lacks, and finds nothing behind the damage', async () => {
  const { one, ids } = await series('archive', 2, (whole) => flipped(whole, -300));
  const target = join(tempFolder(), 'back');
  const snapshot = ids[1] ?? '';
  const refused = await fault(one.restore(target, { snapshot }));
  expect(refused.context['next']).toBe(
    `Bring back what its list still names with “holdfast restore --salvage”, or the snapshot before it that is not known to be damaged: ${ids[0]}. ` +
      'Its archives open without their list too, with “holdfast open” (docs/recovery.md, “Without the manifest”).',
  );
  const report = await one.restore(target, { snapshot, salvage: true });
  expect(report.files).toBeGreaterThan(100);
  expect(report.files).toBeLessThan(801);
  expect(readdirSync(target)).toHaveLength(report.files);
  expect(report.warnings).toMatchObject([
    { code: 'manifest', message: expect.stringContaining(`of the 802 entries of its list ${report.files + 1} could be read`) as string },
  ]);

  const behind = join(tempFolder(), 'behind');
  const lost = await fault(one.restore(behind, { snapshot, salvage: true, include: ['f1799'] }));
  expect([lost.code, existsSync(behind)]).toEqual(['corrupt', false]);
  expect(lost.context['next']).not.toContain('salvage');
});

test('a manifest of which nothing can be read, and a classic file: no salvage is promised', async () => {
  const first = await series('archive', 2, (whole) => flipped(whole, 200));
  const next = String((await fault(first.one.restore(join(tempFolder(), 'back')))).context['next']);
  expect(next).toContain('“holdfast open”');
  expect(next).not.toContain('salvage');
  const classic = await series('classic', 2, (whole) => flipped(whole, 60));
  expect((await fault(classic.one.restore(join(tempFolder(), 'back')))).context['next']).toBe(
    `Bring back the snapshot before it that is not known to be damaged: ${classic.ids[0]}.`,
  );
});

test('the way out is no snapshot whose manifest is damaged behind its first line, whether or not a verification has marked it', async () => {
  const { one, ids } = await series('archive', 3, (whole) => flipped(whole, -300));
  const newest = manifestKey('survival', ids[2] ?? '');
  await put(one.backend, newest, flipped(Buffer.from(await readBytes(one.backend, newest, { limit })), 200));
  expect((await fault(one.restore(join(tempFolder(), 'back')))).context['next']).toContain(`: ${ids[0]}.`);
});

test('a quick look, which reads manifests, marks one that is damaged; of a classic file it goes by the listing', async () => {
  const { one, ids, key } = await series('archive', 3, (whole) => flipped(whole, -300));
  expect((await one.verify({ quick: true })).damage.map(({ object, kind }) => [object, kind])).toEqual([[key, 'corrupt']]);
  expect((await one.prune({ policy: { last: 2 } })).keep.map(({ id }) => id)).toEqual([ids[2], ids[0]]);
  const classic = await series('classic', 2, () => Buffer.alloc(43));
  expect((await classic.one.prune({ policy: { last: 1 } })).keep.map(({ id }) => id)).toEqual([classic.ids[0]]);
  expect((await classic.one.verify({ quick: true })).damage.map(({ kind }) => kind)).toEqual(['truncated']);
});

test('a classic mark stays where nobody could open the file, unless it is only the bytes that had changed', async () => {
  const { one, key, whole } = await series('classic', 2, (bytes) => flipped(bytes, 60));
  await one.verify();
  const byKey = await openedByKey(one);
  await byKey.verify();
  expect(await keysOf(one.backend)).toContain(`${key}.damaged`);
  await put(one.backend, key, whole);
  expect((await byKey.verify()).damage).toEqual([]);
  expect(await keysOf(one.backend)).not.toContain(`${key}.damaged`);
});

test('a classic file whose checksum file is another’s is marked: no restore goes past it', async () => {
  const { one, ids, key } = await series('classic', 2, (whole) => whole);
  const sum = Buffer.from(await readBytes(one.backend, `${key}.sha256`, { limit }));
  await put(one.backend, `${key}.sha256`, `${'0'.repeat(64)}${sum.toString('utf8').slice(64)}`);
  await fault(one.restore(join(tempFolder(), 'back')));
  await one.verify();
  expect((await one.prune({ policy: { last: 1 } })).keep.map(({ id }) => id)).toEqual([ids[0]]);
  await put(one.backend, `${key}.sha256`, sum);
  await one.verify();
  expect((await one.prune({ policy: { last: 1 } })).keep.map(({ id }) => id)).toEqual([ids[1]]);
});

test('another machine’s verification marks nothing', async () => {
  const { one, key } = await series('archive', 2, (whole) => flipped(whole, -300));
  const other = world({ backend: one.backend, machine: 'machine-two' });
  expect((await other.verify()).snapshots.map(({ ok }) => ok)).toEqual([true, false]);
  expect(await keysOf(one.backend)).not.toContain(`${key}.damaged`);
});
