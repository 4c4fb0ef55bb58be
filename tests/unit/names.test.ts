import { expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import { keepApart } from '../../main/engine/jobs/places.ts';
import { isSnapshotId, readObjectName, serverPrefix, slugPattern } from '../../main/engine/snapshots/names.ts';
import { slugify } from '../../main/contract/slug.ts';
import { craftSnapshot } from '../support/craft-snapshot.ts';
import { keysOf, put, world } from '../support/engine-on-memory.ts';

const id = '20261123T220500Z-k3v9qa';

test.each([
  [`survival/${id}.holdfast`, 'archive'],
  [`survival/${id}.002.holdfast`, 'archive'],
  [`survival/${id}.1000.holdfast`, 'archive'],
  [`survival/${id}.holdfast.sha256`, 'checksum'],
  [`survival/${id}.zip.zst.enc`, 'classic'],
  [`survival/${id}.zip.zst.enc.sha256`, 'checksum'],
  [`survival/${id}.manifest`, 'manifest'],
  [`survival/${id}.pin`, 'pin'],
  [`survival/${id}.holdfast.damaged`, 'damaged'],
  [`survival/${id}.002.holdfast.damaged`, 'damaged'],
  [`survival/${id}.manifest.damaged`, 'damaged'],
  [`survival/${id}.zip.zst.enc.damaged`, 'damaged'],
])('%s is ours: %s', (key, kind) => {
  expect(readObjectName(key)).toEqual({ slug: 'survival', id, kind });
});

test.each([
  'holdfast.vault',
  `${id}.holdfast`,
  `survival/${id.toUpperCase()}.holdfast`,
  `survival/x${id}.holdfast`,
  `survival/${id}.holdfast.bak`,
  `survival/${id}.2.holdfast`,
  `survival/${id}holdfast`,
  `survival/${id}.MANIFEST`,
  `survival/sub/${id}.holdfast`,
  `Survival/${id}.holdfast`,
  `survival_1/${id}.holdfast`,
  `/${id}.holdfast`,
  `${'a'.repeat(64)}/${id}.holdfast`,
  `survival/${id}.manifest\n`,
  `survival/${id}.damaged`,
  `survival/${id}.pin.damaged`,
  `survival/${id}.holdfast.sha256.damaged`,
  `survival/${id}.manifest.damaged.damaged`,
])('%j is not ours and never touched', (key) => {
  expect(readObjectName(key)).toBe(null);
});

test('every display name has a folder name that every provider takes', () => {
  const names = ['Survival', 'Ünïcödé', '日本語', '', '../..', '-', 'a'.repeat(200), 'x'.repeat(62) + ' y', 'Ⅷ ﬁ', '🌍', 'CON', 'a/b\\c'];
  for (const name of names) {
    expect([name, slugPattern.test(slugify(name))]).toEqual([name, true]);
    expect(slugify(name)).not.toMatch(/^-|-$/);
  }
  expect([slugify('Ünïcödé'), slugify('日本語')]).toEqual(['unicode', 'server']);
  for (const bad of ['', '..', 'a/b', 'A', 'a'.repeat(64)]) expect(() => serverPrefix(bad)).toThrow(Fault);
  expect([isSnapshotId(id), isSnapshotId(`${id}x`), isSnapshotId('latest')]).toEqual([true, false, false]);
});

test('a destination inside the folder, the reverse, and the same are refused; a neighbour with a like name is not', () => {
  for (const [folder, destination] of [
    ['/srv/mc', '/srv/mc/backups'],
    ['/srv/mc/world', '/srv/mc'],
    ['/srv/mc', '/srv/mc'],
    ['/', '/backups'],
    ['/srv/mc', '/'],
  ] as const) {
    expect(() => keepApart(folder, destination)).toThrow(Fault);
  }
  expect(() => keepApart('/srv/mc', '/srv/mc-backups')).not.toThrow();
  expect(() => keepApart('/srv/mc', undefined)).not.toThrow();
});

test('snapshots are chosen by id, by a beginning that fits one, as latest; never an incomplete one as latest', async () => {
  const one = world();
  const first = await craftSnapshot(one, { time: Date.UTC(2026, 1, 1) });
  const second = await craftSnapshot(one, { time: Date.UTC(2026, 1, 2) });
  await put(one.backend, `survival/20990101T000000Z-aaaaaa.holdfast`, 'half');
  const chosen = async (snapshot: string, server?: string): Promise<string> => {
    const report = await one
      .verify({ snapshot, quick: true, ...(server === undefined ? {} : { server }) })
      .catch((error: unknown) => error as Fault);
    return report instanceof Fault ? report.code : (report.snapshots[0]?.id ?? '');
  };
  expect(await chosen('latest')).toBe(second.id);
  expect(await chosen(first.id)).toBe(first.id);
  expect(await chosen(first.id.slice(0, 8))).toBe(first.id);
  expect(await chosen('2026')).toBe('config-invalid');
  expect(await chosen('2030')).toBe('not-found');
  expect(await chosen('latest', 'nobody')).toBe('not-found');
  await craftSnapshot(one, { slug: 'creative', server: 'Creative!' });
  expect(await chosen('latest')).toBe('config-invalid');
  expect(await chosen('latest', 'Creative!')).not.toBe('not-found');
  expect((await keysOf(one.backend, 'creative/')).length).toBe(3);
});
