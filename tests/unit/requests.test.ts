import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { observe, type CallRecord } from '../../main/engine/storage/layers/observe.ts';
import { craftSnapshot } from '../support/craft-snapshot.ts';
import { holding, contents, world, type World } from '../support/engine-on-memory.ts';

const mib = 2 ** 20;
const base = mkdtempSync(join(tmpdir(), 'holdfast-requests-'));
afterAll(() => rmSync(base, { recursive: true }));

const calls: CallRecord[] = [];
let one: World;
let id = '';
let stored = new Map<string, number>();

/** Sixty files of 1 MiB that no compressor makes smaller, in several volumes; beside them another server and older snapshots. */
beforeAll(async () => {
  const folder = join(base, 'world');
  mkdirSync(join(folder, 'region'), { recursive: true });
  for (let file = 0; file < 60; file += 1) writeFileSync(join(folder, 'region', `r.${file}.mca`), randomBytes(mib));
  const made = world();
  for (const server of ['My Survival!', 'creative'])
    await craftSnapshot(made, { server, slug: server === 'creative' ? server : 'my-survival', time: Date.UTC(2026, 0, 1) });
  id = (await made.backup(folder, { server: 'My Survival!', volumeSize: 16 * mib })).id;
  const objects = await contents(made.backend);
  stored = new Map([...objects].map(([key, { length }]) => [key, length]));
  const { layer } = observe({ clock: made.host.clock, onCall: (call) => calls.push(call) });
  one = world({ backend: layer(await holding(objects)), clock: made.host.clock });
});

/** What was asked of the backend, as `verb target`, in this order; and how many bytes came. */
async function asked(act: () => Promise<unknown>): Promise<{ requests: string[]; bytes: number }> {
  calls.length = 0;
  await act();
  const bytes = calls.reduce((sum, { bytesDown }) => sum + bytesDown, 0);
  return { requests: calls.map(({ verb, target }) => `${verb} ${target}`), bytes };
}

const read = (...names: readonly string[]): string[] => names.map((name) => `read ${name}`);
const manifest = (): string => `my-survival/${id}.manifest`;

describe('one file of a snapshot', () => {
  const restored = async (snapshot: string, server: string): Promise<{ requests: string[]; bytes: number }> => {
    const target = join(base, `back ${server} ${snapshot}`);
    const found = await asked(() => one.restore(target, { snapshot, server, include: ['/region/r.33.mca'] }));
    const [back, was] = [target, join(base, 'world')].map((folder) => readFileSync(join(folder, 'region', 'r.33.mca')));
    expect(back?.equals(was ?? Buffer.alloc(0))).toBe(true);
    return found;
  };

  test('costs the vault, a listing, the manifest, and one read of the data: of the frame that holds it, and no more', async () => {
    const { requests, bytes } = await restored('latest', 'my-survival');
    expect(requests.slice(0, 3)).toEqual([...read('holdfast.vault'), 'list my-survival', ...read(manifest())]);
    expect(requests.slice(3)).toEqual([expect.stringMatching(new RegExp(`^read my-survival/${id}(\\.\\d{3})?\\.holdfast$`))]);
    const known = (stored.get('holdfast.vault') ?? 0) + (stored.get(manifest()) ?? 0);
    // A frame has up to four of these files, and is cut out by whole chunks of 16 KiB.
    expect(bytes - known).toBeGreaterThan(mib);
    expect(bytes - known).toBeLessThan(4 * mib + 3 * 16_400 + 4096);
  });

  test('of a server that is named as people do costs one more: that the folder is really its', async () => {
    const { requests } = await restored('latest', 'My Survival!');
    expect(requests.slice(0, 4)).toEqual([...read('holdfast.vault'), 'list my-survival', ...read(manifest(), manifest())]);
    expect(requests).toHaveLength(5);
  });

  test('of a snapshot that is named lists that one alone; by the beginning of its name it costs no more requests', async () => {
    for (const [wanted, listed] of [
      [id, `my-survival/${id}`],
      [id.slice(0, 12), 'my-survival'],
    ] as const) {
      const { requests } = await restored(wanted, 'my-survival');
      expect(requests.slice(0, 3)).toEqual([...read('holdfast.vault'), `list ${listed}`, ...read(manifest())]);
      expect(requests).toHaveLength(4);
    }
  });
});

test('a list of files reads the manifest and no data; so do a comparison, a search and the sums', async () => {
  const { destination, engine } = one;
  const all = async (rows: AsyncIterable<unknown>): Promise<void> => {
    for await (const row of rows) expect(row).toBeDefined();
  };
  const listed = await asked(() => all(engine.list(destination, { snapshot: id, server: 'my-survival' }, {})));
  expect(listed.requests).toEqual([...read('holdfast.vault'), `list my-survival/${id}`, ...read(manifest())]);
  expect(listed.bytes).toBe((stored.get('holdfast.vault') ?? 0) + (stored.get(manifest()) ?? 0));

  const server = 'my-survival';
  const looks = [
    async () => all((await engine.diff(destination, { before: id, after: 'latest', server }, {})).rows),
    () => engine.find(destination, { pattern: '*.mca', limit: 100, server }, {}),
    () => engine.versions(destination, { path: 'region/r.1.mca', limit: 100, server }, {}),
    () => engine.usage(destination, { server }, {}),
  ];
  for (const look of looks) {
    const { requests, bytes } = await asked(look);
    expect(requests.filter((request) => request.endsWith('.holdfast'))).toEqual([]);
    expect(bytes).toBeLessThan(statSync(join(base, 'world', 'region', 'r.0.mca')).size / 10);
  }
});

test('a server whose folder is not called like it is found all the same', async () => {
  await craftSnapshot(one, { server: 'creative', slug: 'elsewhere', time: Date.UTC(2026, 0, 1) });
  await craftSnapshot(one, { server: 'Somewhere', slug: 'somewhere-2' });
  const rows = await one.engine.snapshots(one.destination, { server: 'Somewhere' }, {});
  expect(rows.map(({ slug }) => slug)).toEqual(['somewhere-2']);
  // A slug is that folder, whoever else is called so.
  const creative = await one.engine.snapshots(one.destination, { server: 'creative' }, {});
  expect(creative.map(({ slug }) => slug)).toEqual(['creative']);
});
