import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { chaos, countingBackend, failCall } from '../support/chaos.ts';
import { craftSnapshot } from '../support/craft-snapshot.ts';
import { contents, holding, keysOf, movableClock, newStateDir, put, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

const hour = 3_600_000;
const start = Date.UTC(2026, 10, 1);
const down = new Fault('unavailable', 'connection reset');

async function fault(act: Promise<unknown>): Promise<Fault> {
  const error: unknown = await act.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Fault);
  return error as Fault;
}

/** Five snapshots, a day apart, of a server that was last written just now. */
async function fiveDays(options: { machine?: string } = {}): Promise<World & { ids: string[] }> {
  const one = world({ clock: movableClock(start + 5 * 24 * hour), ...options });
  const ids: string[] = [];
  for (let day = 0; day < 5; day += 1)
    ids.push((await craftSnapshot(one, { time: start + day * 24 * hour, machine: options.machine ?? 'machine-one' })).id);
  return { ...one, ids };
}

const idOf = (key: string): string => /\/(\w+-\w+)\./.exec(key)?.[1] ?? '';
const idsIn = async (backend: Backend): Promise<string[]> => [...new Set((await keysOf(backend, 'survival/')).map(idOf))];
const withClock = (from: World, backend: Backend): World => world({ backend, clock: from.host.clock });

/** What is uploaded from now on bears the time of this clock. */
async function skewed(inner: Backend, clock: { now(): number }): Promise<Pick<Backend, 'beginUpload'>> {
  return {
    beginUpload: async (key, options) => {
      const upload = await inner.beginUpload(key, options);
      return {
        token: upload.token,
        writePart: (index, bytes, call) => upload.writePart(index, bytes, call),
        abort: () => upload.abort(),
        complete: async (call) => ({ ...(await upload.complete(call)), modifiedAt: clock.now() }),
      };
    },
  };
}

describe('the order of removal', () => {
  test('all manifests, then all archives, then what belonged to them', async () => {
    const one = await fiveDays();
    const counting = countingBackend();
    await withClock(one, counting.layer(one.backend)).prune({ policy: { last: 2 } });
    const removed = counting.calls
      .filter(({ verb, target }) => verb === 'remove' && !target.includes('holdfast.test-'))
      .map(({ target }) => target);
    const kinds = removed.map((key) => key.slice(key.indexOf('.')));
    expect(kinds).toEqual([...Array(3).fill('.manifest'), ...Array(3).fill('.holdfast'), ...Array(3).fill('.holdfast.sha256')]);
    expect(await idsIn(one.backend)).toEqual(one.ids.slice(3));
  });

  test('failing at every call, before and after its effect: what is kept is untouched, and a second prune ends it', async () => {
    const one = await fiveDays();
    const objects = await contents(one.backend);
    const kept = [...objects].filter(([key]) => !key.includes('/') || one.ids.slice(3).includes(idOf(key)));
    const probe = failCall({ k: 10_000, fault: down, when: 'before' });
    await withClock(one, probe.layer(await holding(objects, one.host.clock))).prune({ policy: { last: 2 } });
    const calls = probe.calls().length;
    expect(calls).toBeGreaterThan(15);
    for (const when of ['before', 'after'] as const) {
      for (let k = 1; k <= calls; k += 1) {
        const backend = await holding(objects, one.host.clock);
        const failure = await fault(withClock(one, failCall({ k, fault: down, when }).layer(backend)).prune({ policy: { last: 2 } }));
        expect([k, when, failure.code]).toEqual([k, when, 'unavailable']);
        const after = await contents(backend);
        for (const [key, bytes] of kept) expect([k, when, key, after.get(key)?.equals(bytes)]).toEqual([k, when, key, true]);
        // Whatever still has a manifest is whole.
        for (const key of after.keys()) if (key.endsWith('.manifest')) expect(after.has(key.replace('.manifest', '.holdfast'))).toBe(true);
        // Three days later by the provider's clock, even the leftovers of the leftovers are gone.
        const later = movableClock(one.host.clock.now() + 72 * hour);
        const again = world({ backend: await holding(after, one.host.clock), clock: later });
        const moved: Backend = { ...again.backend, beginUpload: (await skewed(again.backend, later)).beginUpload };
        await world({ backend: moved, clock: later }).prune({ policy: { last: 2 } });
        expect([k, when, await keysOf(again.backend)]).toEqual([k, when, kept.map(([key]) => key)]);
      }
    }
  });

  test('an archive that a kept snapshot names stays when the snapshot that wrote it goes', async () => {
    const one = world({ clock: movableClock(start + 24 * hour) });
    const first = await craftSnapshot(one, { time: start });
    const stored = (await contents(one.backend)).get(first.archive) ?? Buffer.alloc(0);
    const shared = {
      key: first.archive,
      size: stored.length,
      sha256: 'a'.repeat(64),
      head: stored.subarray(0, 148).toString('base64'),
      zipSize: 1,
      frames: 1,
    };
    const second = await craftSnapshot(one, { time: start + hour, header: { archives: [shared] } });
    await one.prune({ policy: { last: 1 } });
    expect(await keysOf(one.backend, `survival/${first.id}`)).toEqual([first.archive, `${first.archive}.sha256`]);
    expect(await keysOf(one.backend, `survival/${second.id}`)).toContain(second.manifest);
  });
});

describe('what stops a prune', () => {
  test('a manifest that cannot be read: manifests go, no archive does', async () => {
    const one = await fiveDays();
    const objects = await contents(one.backend);
    const bad = `survival/${one.ids[3] ?? ''}.manifest`;
    objects.set(bad, Buffer.from(objects.get(bad) ?? '').fill(0, 150, 200));
    const backend = await holding(objects, one.host.clock);
    const report = await withClock(one, backend).prune({ policy: { last: 1 } });
    expect(report.warnings).toMatchObject([{ code: 'manifest', message: expect.stringContaining(bad) as string }]);
    const keys = await keysOf(backend);
    expect(keys.filter((key) => key.endsWith('.holdfast'))).toHaveLength(5);
    expect(keys.filter((key) => key.endsWith('.manifest'))).toEqual([bad, `survival/${one.ids[4] ?? ''}.manifest`]);
    // What docs/recovery.md says of giving up a snapshot: by hand its manifest goes, and by the next prune what only that had named, once it is old.
    expect(report.warnings[0]?.message).toContain('or deleted by hand (docs/recovery.md, “Giving up a snapshot”)');
    await backend.remove(bad, {});
    const later = movableClock(one.host.clock.now() + 49 * hour);
    const aged = await holding(await contents(backend), one.host.clock);
    const seen: Backend = { ...aged, beginUpload: (await skewed(aged, later)).beginUpload };
    expect((await world({ backend: seen, clock: later }).prune({ policy: { last: 1 } })).warnings).toEqual([]);
    expect((await keysOf(aged)).filter((key) => key.includes('/') && !key.includes(one.ids[4] ?? ''))).toEqual([]);
  });

  test.each([-11, 11, -60 * 24 * 400, 60 * 24 * 400])('a clock that is %i minutes off', async (minutes) => {
    const one = await fiveDays();
    const before = await keysOf(one.backend);
    const off = world({ backend: one.backend, clock: movableClock(one.host.clock.now() + minutes * 60_000) });
    expect((await fault(off.prune({ policy: { last: 1 } }))).code).toBe('config-invalid');
    expect(await keysOf(one.backend)).toEqual(before);
  });

  test('but not one that is nine minutes off', async () => {
    const one = await fiveDays();
    const off = world({ backend: one.backend, clock: movableClock(one.host.clock.now() - 9 * 60_000) });
    expect((await off.prune({ policy: { last: 1 } })).remove).toHaveLength(4);
  });

  test.each([0, 1, 3, 7, 14])('a listing that fails after %i objects', async (items) => {
    const one = await fiveDays();
    const before = await keysOf(one.backend);
    const torn = chaos(({ verb }) => (verb === 'list' ? { kind: 'cut', items, fault: down } : null))(one.backend);
    expect((await fault(withClock(one, torn).prune({ policy: { last: 1 } }))).code).toBe('unavailable');
    expect(await keysOf(one.backend)).toEqual(before);
  });

  test('another owner, unless this machine takes over', async () => {
    const one = await fiveDays();
    const before = await keysOf(one.backend);
    const other = world({ backend: one.backend, clock: one.host.clock, machine: 'machine-two' });
    expect(await fault(other.prune({ policy: { last: 1 } }))).toMatchObject({
      code: 'locked',
      message: expect.stringContaining('machine-one') as string,
    });
    expect(await keysOf(one.backend)).toEqual(before);
    expect((await other.prune({ policy: { last: 1 }, takeOver: true })).remove).toHaveLength(4);
  });
});

describe('what a prune never touches', () => {
  test('a dry run: nothing is written, removed or begun, and it tells the same', async () => {
    const one = await fiveDays();
    const before = await contents(one.backend);
    const counting = countingBackend();
    const dry = await withClock(one, counting.layer(one.backend)).prune({ policy: { last: 2 }, dryRun: true });
    expect(counting.calls.filter(({ verb }) => !['list', 'read', 'stat'].includes(verb))).toEqual([]);
    expect(await contents(one.backend)).toEqual(before);
    const real = await one.prune({ policy: { last: 2 } });
    expect([dry.keep, dry.remove, dry.objects, dry.freedBytes]).toEqual([real.keep, real.remove, real.objects, real.freedBytes]);
  });

  test('what is not ours, what is another server’s, and the vault', async () => {
    const one = await fiveDays();
    const [id = ''] = one.ids;
    const foreign = [
      'survival/readme.txt',
      `survival/${id}.txt`,
      `survival/${id}.holdfast.bak`,
      `survival/x${id}.holdfast`,
      `survival/sub/${id}.holdfast`,
      `SURVIVAL/${id}.holdfast`,
      `survival-2/${id}.holdfast`,
      `survival2/${id}.manifest`,
      `${id}.holdfast`,
      'holdfast.vault.old',
    ];
    for (const key of foreign) await put(one.backend, key, 'mine');
    const before = await contents(one.backend);
    const old = world({ backend: await holding(before, { now: () => start - 1000 * hour }), clock: movableClock(start - 1000 * hour) });
    await old.prune({ policy: { last: 1 } });
    const after = await contents(old.backend);
    for (const key of [...foreign, 'holdfast.vault'])
      expect([key, after.get(key)?.equals(before.get(key) ?? Buffer.alloc(0))]).toEqual([key, true]);
  });

  test('pinned snapshots', async () => {
    const one = await fiveDays();
    const [first = '', second = ''] = one.ids;
    await one.engine.pin(one.destination, { snapshot: first, server: 'survival', note: 'before the update' }, {});
    const report = await one.prune({ policy: { last: 1 } });
    expect(report.keep.map(({ id }) => id).sort()).toEqual([first, one.ids[4]].sort());
    expect(await keysOf(one.backend, `survival/${first}`)).toHaveLength(4);
    expect(await keysOf(one.backend, `survival/${second}`)).toEqual([]);
    expect(await one.engine.pin(one.destination, { snapshot: 'latest', server: 'survival' }, {})).toBe(one.ids[4]);
    expect(await one.engine.unpin(one.destination, { snapshot: 'latest', server: 'survival' }, {})).toBe(one.ids[4]);
    await one.engine.unpin(one.destination, { snapshot: first, server: 'survival' }, {});
    await one.prune({ policy: { last: 1 } });
    expect(await keysOf(one.backend, `survival/${first}`)).toEqual([]);
  });

  test('the last complete snapshot, however many newer ones are not complete; and those that are damaged', async () => {
    const one = await fiveDays();
    const objects = await contents(one.backend);
    for (const id of one.ids.slice(2)) objects.delete(`survival/${id}.holdfast`);
    const backend = await holding(objects, one.host.clock);
    const report = await withClock(one, backend).prune({ policy: { last: 1 } });
    expect(report.keep.map(({ id }) => id)).toEqual([one.ids[1]]);
    expect(report.remove.map(({ id }) => id)).toEqual([one.ids[0]]);
    expect(report.warnings.map(({ code }) => code)).toEqual(['damaged', 'damaged', 'damaged']);
    expect(await idsIn(backend)).toEqual(one.ids.slice(1));
  });

  test('anything, when the policy is empty', async () => {
    const one = await fiveDays();
    expect((await one.prune()).remove).toEqual([]);
    expect(await idsIn(one.backend)).toEqual(one.ids);
  });
});

describe('leftovers', () => {
  const orphan = '20200101T000000Z-aaaaaa';
  const parts = ['.holdfast', '.002.holdfast', '.holdfast.sha256', '.002.holdfast.sha256', '.pin'].map(
    (ending) => `survival/${orphan}${ending}`,
  );
  const probe = 'survival/holdfast.test-0011223344556677';

  test.each([
    { age: 47, stays: true },
    { age: 49, stays: false },
  ])('of $age hours by the provider’s clock, whatever their names say: kept $stays', async ({ age, stays }) => {
    const provider = movableClock(start);
    const one = world({ backend: memoryBackend({ clock: provider }), clock: provider });
    await craftSnapshot(one);
    for (const key of [...parts, probe]) await put(one.backend, key, 'half');
    provider.offset += age * hour;
    await one.prune({ policy: { last: 1 } });
    expect((await keysOf(one.backend, 'survival/')).filter((key) => key.includes(orphan) || key === probe)).toEqual(
      stays ? [...parts, probe].sort() : [],
    );
    expect((await one.engine.snapshots(one.destination, {}, {})).filter(({ complete }) => complete)).toHaveLength(1);
  });

  test('are found in the one listing that the rest is judged by', async () => {
    const one = await fiveDays();
    const counting = countingBackend();
    await withClock(one, counting.layer(one.backend)).prune({ server: 'survival', policy: { last: 1 } });
    const listed = counting.calls.filter(({ verb }) => verb === 'list').map(({ target }) => target);
    // The first finds out which server is meant.
    expect(listed).toEqual(['survival', 'survival/']);
  });

  test('incomplete snapshots are never offered', async () => {
    const one = world();
    await craftSnapshot(one, { time: start });
    for (const key of parts) await put(one.backend, key.replace(orphan, '20991231T000000Z-zzzzzz'), 'half');
    const rows = await one.engine.snapshots(one.destination, {}, {});
    expect(rows.map(({ complete }) => complete)).toEqual([true, false]);
    expect((await one.restore(join(tempFolder(), 'out'))).files).toBe(1);
    expect((await fault(one.restore(join(tempFolder(), 'out'), { snapshot: '20991231T000000Z-zzzzzz' }))).code).toBe('not-found');
  });
});

describe('classic snapshots', () => {
  test('count, go by the policy, and one without its checksum file is left alone for ever', async () => {
    const clock = movableClock(start + 1000 * hour);
    const one = world({ clock });
    await craftSnapshot(one, { time: start });
    const classic = ['20261005T000000Z-aaaaaa', '20261006T000000Z-bbbbbb', '20261007T000000Z-cccccc'].map(
      (id) => `survival/${id}.zip.zst.enc`,
    );
    // Prune opens none: it goes by the listing, which shows one of fewer than 44 bytes to be none.
    const sealed = 'sealed'.repeat(10);
    for (const key of classic) {
      await put(one.backend, key, sealed);
      await put(one.backend, `${key}.sha256`, `${createHash('sha256').update(sealed).digest('hex')}  ${key.slice(9)}\n`);
    }
    const short = 'survival/20261008T000000Z-eeeeee.zip.zst.enc';
    await put(one.backend, short, sealed.slice(0, 43));
    await put(one.backend, `${short}.sha256`, `${createHash('sha256').update(sealed.slice(0, 43)).digest('hex')}  ${short.slice(9)}\n`);
    const lonely = 'survival/20261004T000000Z-dddddd.zip.zst.enc';
    await put(one.backend, lonely, sealed);
    clock.offset += 100 * hour;
    const later = world({ backend: await holding(await contents(one.backend), { now: () => start }), clock });
    const steady: Backend = { ...later.backend, beginUpload: (key, options) => one.backend.beginUpload(key, options) };
    const report = await world({ backend: steady, clock }).prune({ policy: { last: 2 } });
    expect(report.remove.map(({ id }) => id).sort()).toEqual(['20261005T000000Z-aaaaaa', '20261006T000000Z-bbbbbb']);
    expect(report.objects).toEqual([classic[0], classic[1], `${classic[0] ?? ''}.sha256`, `${classic[1] ?? ''}.sha256`]);
    expect(await keysOf(later.backend, lonely)).toEqual([lonely]);
    expect(await keysOf(later.backend, short)).toEqual([short, `${short}.sha256`]);
  });
});

describe('one run at a time', () => {
  test('a second backup and a prune are refused while one is under way; another server is not', async () => {
    const folder = join(tempFolder(), 'source');
    mkdirSync(folder);
    writeFileSync(join(folder, 'world.dat'), 'blocks');
    const stateDir = newStateDir();
    const memory = memoryBackend();
    await craftSnapshot(world({ backend: memory }));
    const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow: Backend = {
      ...memory,
      beginUpload: async (key, options) => {
        if (key.endsWith('.holdfast')) {
          reached.resolve();
          await go.promise;
        }
        return memory.beginUpload(key, options);
      },
    };
    const first = world({ backend: slow, stateDir }).backup(folder);
    await reached.promise;
    const second = world({ backend: memory, stateDir });
    const inUse = { code: 'locked', message: expect.stringMatching(/^the server survival is in use by process \d+ since /) as string };
    expect(await fault(second.backup(folder))).toMatchObject(inUse);
    expect(await fault(second.prune({ policy: { last: 1 } }))).toMatchObject(inUse);
    expect((await second.backup(folder, { server: 'other' })).outcome).toBe('written');
    go.resolve();
    expect((await first).outcome).toBe('written');
    expect((await second.backup(folder)).outcome).toBe('written');
  });

  test('a backup of a server of another machine needs take-over, and then it is this machine’s', async () => {
    const folder = join(tempFolder(), 'source');
    mkdirSync(folder);
    writeFileSync(join(folder, 'world.dat'), 'blocks');
    const memory = memoryBackend();
    const mine = world({ backend: memory });
    await craftSnapshot(mine, { time: Date.now() - hour });
    const theirs = world({ backend: memory, machine: 'machine-two' });
    const before = await keysOf(memory);
    expect((await fault(theirs.backup(folder))).code).toBe('locked');
    expect(await keysOf(memory)).toEqual(before);
    expect((await theirs.backup(folder, { takeOver: true })).outcome).toBe('written');
    expect((await fault(mine.backup(folder))).code).toBe('locked');
    expect((await fault(mine.prune({ policy: { last: 1 } }))).code).toBe('locked');
  });
});
