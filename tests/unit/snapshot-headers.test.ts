import { createHook } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { craftSnapshot } from '../support/craft-snapshot.ts';
import { contents, movableClock, put, world, type World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Watched {
  readonly one: World;
  readonly reads: string[];
  /** Manifests that are being read now, and the most that ever were at once. */
  readonly open: { now: number; most: number };
  /** Called before a manifest is read. */
  before: (key: string) => Promise<void>;
}

/** A place with that many snapshots, and what is read of it from then on. */
async function watched(count: number): Promise<Watched> {
  const clock = movableClock();
  const filled = world({ clock });
  const folder = join(tempFolder(), 'srv');
  mkdirSync(folder);
  for (let night = 0; night < count; night += 1) {
    writeFileSync(join(folder, 'level.dat'), `night ${String(night)}`);
    clock.offset += 60_000;
    await filled.backup(folder);
  }
  const seen: Watched = { one: filled, reads: [], open: { now: 0, most: 0 }, before: () => Promise.resolve() };
  const backend: Backend = {
    ...filled.backend,
    async read(key, options) {
      if (!key.endsWith('.manifest')) return await filled.backend.read(key, options);
      seen.reads.push(key);
      seen.open.now += 1;
      seen.open.most = Math.max(seen.open.most, seen.open.now);
      try {
        await seen.before(key);
        return await filled.backend.read(key, options);
      } finally {
        seen.open.now -= 1;
      }
    },
  };
  return Object.assign(seen, { one: world({ backend, clock, stateDir: join(tempFolder(), 'state') }) });
}

const list = ({ one }: Watched) => one.engine.snapshots(one.destination, { server: 'survival' }, {});

describe('the first lines of manifests', () => {
  test('are read a few at a time and each once, and a list that is looked at again reads only what is new', async () => {
    const place = await watched(6);
    const rows = await list(place);
    expect(rows).toHaveLength(6);
    expect(new Set(place.reads).size).toBe(6);
    expect(place.reads).toHaveLength(6);
    expect(place.open.most).toBeGreaterThan(1);
    expect(place.open.most).toBeLessThanOrEqual(4);
    place.reads.length = 0;
    expect(await list(place)).toEqual(rows);
    await place.one.engine.prune(
      place.one.destination,
      { server: 'survival', policy: { last: 2 }, zone: 'UTC', dryRun: true, takeOver: true },
      {},
    );
    expect(place.reads.filter((key) => key !== manifestOf(rows.at(-1)?.id))).toEqual([]);
  });

  test('that were written anew are read anew, also when their size is the same', async () => {
    const place = await watched(2);
    const [, newest] = await list(place);
    const key = manifestOf(newest?.id);
    const damaged = Buffer.from((await contents(place.one.backend)).get(key) ?? []);
    damaged[200] = (damaged[200] ?? 0) ^ 1;
    await place.one.backend.remove(key);
    await put(place.one.backend, key, damaged);
    expect((await list(place)).at(-1)).toMatchObject({ id: newest?.id, complete: false });
  });

  test('are read as they are now by what decides: a prune trusts no earlier look', async () => {
    const place = await watched(3);
    await list(place);
    place.reads.length = 0;
    await place.one.prune({ policy: { last: 1 } });
    expect(new Set(place.reads).size).toBe(3);
  });

  test('end with the first that cannot be reached, and nothing is read behind it', async () => {
    const place = await watched(6);
    place.before = async () => {
      throw new Error('the line is cut');
    };
    await expect(list(place)).rejects.toThrow('the line is cut');
    expect(place.reads.length).toBeLessThanOrEqual(4);
    expect(place.open.now).toBe(0);
  });
});

describe('the vault', () => {
  test('that was opened stays open for looks, and only as long as it and the password are the same', async () => {
    const place = await watched(1);
    const { one } = place;
    const row = (await list(place))[0];
    await expect(one.engine.snapshots(one.as('another password'), { server: 'survival' }, {})).rejects.toMatchObject({
      code: 'wrong-password',
    });
    expect((await list(place))[0]).toEqual(row);
    // Opened at once: what the password has to be turned into is known.
    const [first, again] = [
      await opened(() => list(place)),
      await opened(() => world({ backend: one.backend }).engine.snapshots(one.destination, {}, {})),
    ];
    expect([first, again]).toEqual([0, 1]);
    await one.engine.changePassword(one.destination, { newPassword: 'a new password for all', newKey: false }, {});
    await expect(list(place)).rejects.toMatchObject({ code: 'wrong-password' });
    expect(await one.engine.snapshots(one.as('a new password for all'), { server: 'survival' }, {})).toEqual([row]);
  });
});

/** How many keys are derived from passwords meanwhile. */
async function opened(work: () => Promise<unknown>): Promise<number> {
  let derived = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === 'PBKDF2REQUEST') derived += 1;
    },
  }).enable();
  await work();
  hook.disable();
  return derived;
}

describe('what is left of removed snapshots', () => {
  test('counts for the oldest that rests on it, so that the rows hold all that lies there', async () => {
    const clock = movableClock();
    const one = world({ clock });
    const folder = join(tempFolder(), 'srv');
    mkdirSync(folder);
    writeFileSync(join(folder, 'stays.dat'), randomBytes(50_000));
    for (let night = 0; night < 3; night += 1) {
      writeFileSync(join(folder, 'level.dat'), `night ${String(night)}`);
      clock.offset += 60_000;
      await one.backup(folder);
    }
    const [first] = await one.engine.snapshots(one.destination, { server: 'survival' }, {});
    await one.prune({ policy: { last: 2 } });
    const rows = await one.engine.snapshots(one.destination, { server: 'survival' }, {});
    expect(rows).toHaveLength(2);
    const left = [...(await contents(one.backend, 'survival/'))].map(([key, { length }]) => ({ key, length }));
    const ofFirst = left.filter(({ key }) => key.includes(first?.id ?? '?')).reduce((sum, { length }) => sum + length, 0);
    expect(ofFirst).toBeGreaterThan(50_000);
    expect(rows.map(({ inheritedBytes }) => inheritedBytes)).toEqual([ofFirst, undefined]);
    const told = rows.reduce((sum, { storedBytes, inheritedBytes = 0 }) => sum + storedBytes + inheritedBytes, 0);
    expect(told).toBe(left.reduce((sum, { length }) => sum + length, 0));
  });
});

describe('the newest snapshot', () => {
  test('is told without a look at the others', async () => {
    const place = await watched(3);
    const row = await place.one.engine.newest(place.one.destination, { server: 'survival' }, {});
    expect(new Set(place.reads)).toEqual(new Set([manifestOf(row?.id)]));
    expect((await list(place)).at(-1)).toEqual(row);
  });

  test('is the one before where the newest cannot be brought back, and none where there is none', async () => {
    const place = await watched(2);
    const [older, newest] = await list(place);
    await place.one.backend.remove(`survival/${newest?.id ?? ''}.holdfast`);
    expect((await place.one.engine.newest(place.one.destination, { server: 'survival' }, {}))?.id).toBe(older?.id);
    await place.one.backend.remove(`survival/${older?.id ?? ''}.holdfast`);
    expect(await place.one.engine.newest(place.one.destination, { server: 'survival' }, {})).toBeNull();
  });
});

function manifestOf(id: string | undefined): string {
  return `survival/${id ?? ''}.manifest`;
}

test('what reading first lines has left is given back after so many archives as they name, and not for lines that are known', async () => {
  let times = 0;
  const one = world({ host: { giveBack: () => (times += 1) } });
  const head = randomBytes(148).toString('base64');
  const time = Date.UTC(2026, 9, 1);
  const more = Array.from({ length: 9000 }, (_, index) => ({
    ...{ key: `survival/20260901T000000Z-aaaaaa.${String(index + 2).padStart(3, '0')}.holdfast`, size: 1000, sha256: '0'.repeat(64), head },
    ...{ zipSize: 1, frames: 1 },
  }));
  for (let count = 0; count < 4; count += 1) await craftSnapshot(one, { time: time + count * 1000, more });
  await one.engine.snapshots(one.destination, {}, {});
  expect(times).toBe(1);
  await one.engine.snapshots(one.destination, {}, {});
  expect(times).toBe(1);
});
