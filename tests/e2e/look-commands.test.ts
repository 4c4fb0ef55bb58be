import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Workshop } from '../support/run-holdfast.ts';

const shop = new Workshop('look');
const source = shop.path('survival');
const ids: string[] = [];
const place = ['-d', `folder:${shop.place}`];

async function json<T>(args: readonly string[]): Promise<T> {
  const { code, value, stderr, stdout } = await shop.run([...args, ...place]);
  expect([args[0], code, stderr, code === 0 ? '' : stdout]).toEqual([args[0], 0, '', '']);
  return value as T;
}

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

async function backup(time: string): Promise<void> {
  const { value, code, stderr } = await shop.backup(source, ['--time', time, '--force']);
  expect([code, stderr]).toEqual([0, '']);
  ids.push((value as { id: string }).id);
}

beforeAll(async () => {
  mkdirSync(`${source}/world`, { recursive: true });
  writeFileSync(`${source}/world/level.dat`, 'first');
  writeFileSync(`${source}/world/gone`, 'gone soon');
  linkSync(`${source}/world/level.dat`, `${source}/zz further name`);
  await backup(daysAgo(20));
  rmSync(`${source}/world/gone`);
  writeFileSync(`${source}/world/level.dat`, 'the second');
  writeFileSync(`${source}/world/new`, 'x'.repeat(5000));
  await backup(daysAgo(2));
});

describe('the commands that only look, as processes of their own', () => {
  it('diff', async () => {
    const { before, after, entries, totals } = await json<{
      before: string;
      after: string;
      entries: readonly { path: string; change: string }[];
      totals: unknown;
    }>(['diff', ids[0]?.slice(0, 13) ?? '', 'latest']);
    expect([before, after]).toEqual(ids);
    expect(entries.map(({ path, change }) => `${change} ${path}`)).toEqual([
      'removed world/gone',
      'changed world/level.dat',
      'added world/new',
      'changed zz further name',
    ]);
    expect(totals).toMatchObject({ added: { paths: 1, bytes: 5000 }, removed: { paths: 1, bytes: 9 } });
  });

  it('find and versions', async () => {
    interface Found {
      versions: readonly { path: string; size: number; restorable: boolean; snapshots: readonly { newest: string }[] }[];
    }
    const found = await json<Found>(['find', 'level*']);
    const told = found.versions.map(({ path, size, restorable, snapshots }) => [path, size, restorable, snapshots[0]?.newest]);
    expect(told).toEqual([
      ['world/level.dat', 10, true, ids[1]],
      ['world/level.dat', 5, true, ids[0]],
    ]);
    const further = await json<Found>(['versions', './zz further name']);
    expect(further.versions.map(({ size, snapshots }) => [size, snapshots[0]?.newest])).toEqual([
      [10, ids[1]],
      [5, ids[0]],
    ]);
    expect((await shop.run(['versions', 'no such', ...place])).code).toBe(10);
    expect((await shop.run(['find', '*.mca', ...place])).code).toBe(10);
  });

  it('usage', async () => {
    interface Usage {
      servers: readonly {
        storedBytes: number;
        liveBytes: number;
        unfinishedBytes: number;
        snapshots: readonly { id: string; freedBytes: number; ownBytes: number }[];
      }[];
      storedBytes: number;
      forecast: { bytesPerDay: number } | null;
      cap: { reachedAt: string | null };
    }
    const { servers, storedBytes, forecast, cap } = await json<Usage>(['usage', '--cap', '1M']);
    const [server] = servers;
    expect(server?.snapshots.map(({ id }) => id)).toEqual(ids);
    // Each of them whole and on its own: what it has written is what goes with it.
    expect(server?.snapshots.every(({ freedBytes, ownBytes }) => freedBytes === ownBytes)).toBe(true);
    expect(server?.snapshots.reduce((sum, { ownBytes }) => sum + ownBytes, 0)).toBe(storedBytes);
    expect([server?.liveBytes, server?.unfinishedBytes]).toEqual([storedBytes, 0]);
    expect(forecast?.bytesPerDay).toBeGreaterThan(0);
    expect(Date.parse(cap.reachedAt ?? '')).toBeGreaterThan(Date.now());
  });
});
