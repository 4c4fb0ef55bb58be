import { expect, test } from 'vitest';
import type { DiffRow } from '../../main/contract/look-reports.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { craftSnapshot, fileLine, plainLine, rootLine, type FramePlace } from '../support/craft-snapshot.ts';
import { movableClock, world, type World } from '../support/engine-on-memory.ts';

const start = Date.UTC(2026, 10, 1);

async function rowsOf(one: World, before: string, after: string): Promise<DiffRow[]> {
  const report = await one.engine.diff(one.destination, { before, after }, {});
  const rows: DiffRow[] = [];
  for await (const row of report.rows) rows.push(row);
  return rows;
}

/** Two snapshots with these lines, by their frames `one`, `two` and `three`. */
async function two(
  before: (frames: readonly FramePlace[]) => readonly unknown[],
  after: (frames: readonly FramePlace[]) => readonly unknown[],
): Promise<{ one: World; ids: [string, string] }> {
  const one = world({ clock: movableClock(start) });
  const contents = ['one', 'two', 'three'];
  const first = await craftSnapshot(one, { time: start, contents, entries: (frames) => [rootLine, ...before(frames)] });
  const second = await craftSnapshot(one, { time: start + 1000, contents, entries: (frames) => [rootLine, ...after(frames)] });
  return { one, ids: [first.id, second.id] };
}

const at = (frames: readonly FramePlace[], index: number): FramePlace =>
  frames[index] ?? { offset: 0, stored: 0, content: Buffer.alloc(0) };

test('what was added, removed and changed is told with its sizes; what only says otherwise of itself is told apart', async () => {
  const { one, ids } = await two(
    (frames) => [
      plainLine('folder', 'directory', { mtime: '1' }),
      fileLine('folder/content', at(frames, 0)),
      fileLine('folder/gone', at(frames, 2)),
      plainLine('folder/link', 'symlink', { target: 'a' }),
      plainLine('folder/link kept', 'symlink', { target: 'a', mtime: '1' }),
      fileLine('mode', at(frames, 0), { mode: 0o600 }),
      fileLine('owner and time', at(frames, 0), { uid: 1, mtime: '1' }),
      fileLine('same', at(frames, 0), { ctime: '1', inode: '7' }),
      fileLine('was a file', at(frames, 2)),
    ],
    (frames) => [
      plainLine('folder', 'directory', { mtime: '2' }),
      fileLine('folder/content', at(frames, 1)),
      plainLine('folder/link', 'symlink', { target: 'b' }),
      plainLine('folder/link kept', 'symlink', { target: 'a', mtime: '2' }),
      fileLine('folder/new', at(frames, 2)),
      fileLine('mode', at(frames, 0), { mode: 0o644 }),
      fileLine('owner and time', at(frames, 0), { uid: 2, mtime: '2' }),
      fileLine('same', at(frames, 0), { ctime: '2', inode: '8' }),
      plainLine('was a file', 'directory'),
    ],
  );
  const file = { type: 'file', fields: [] } as const;
  expect(await rowsOf(one, ...ids)).toEqual([
    { ...file, path: 'folder/content', change: 'changed', size: 3, sizeBefore: 3 },
    { ...file, path: 'folder/gone', change: 'removed', size: 5, sizeBefore: 5 },
    { path: 'folder/link', change: 'changed', type: 'symlink', size: 0, sizeBefore: 0, fields: [] },
    { path: 'folder/link kept', change: 'metadata', type: 'symlink', size: 0, sizeBefore: 0, fields: ['mtime'] },
    { ...file, path: 'folder/new', change: 'added', size: 5 },
    { ...file, path: 'mode', change: 'metadata', size: 3, sizeBefore: 3, fields: ['mode'] },
    { ...file, path: 'owner and time', change: 'metadata', size: 3, sizeBefore: 3, fields: ['owner', 'mtime'] },
    { path: 'was a file', change: 'changed', type: 'directory', size: 0, sizeBefore: 5, fields: ['mode'] },
  ]);
  expect(await rowsOf(one, 'latest', 'latest')).toEqual([]);
  expect((await rowsOf(one, 'latest', ids[0])).map(({ change }) => change)).toContain('added');
  // The page tells what people look for: not what was only touched.
  const page = await one.engine.changes(one.destination, { snapshot: 'latest', limit: 100 }, {});
  expect(page).toMatchObject({ before: ids[0], created: 1, changed: 3, gone: 1 });
  expect(page.list.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    'changed folder/content',
    'gone folder/gone',
    'changed folder/link',
    'new folder/new',
    'changed was a file',
  ]);
});

test('a further name of a file, which has no checksum of its own, is the same while size and time are', async () => {
  const name = (more: Record<string, unknown>): Record<string, unknown> => ({
    ...plainLine('z', 'file', { size: 3, linkOf: 'a', ...more }),
    sha256: undefined,
  });
  const { one, ids } = await two(
    (frames) => [fileLine('a', at(frames, 0)), fileLine('b', at(frames, 0)), name({})],
    (frames) => [fileLine('a', at(frames, 0)), plainLine('b', 'file', { size: 3, linkOf: 'a', sha256: undefined }), name({ mtime: '5' })],
  );
  expect((await rowsOf(one, ...ids)).map(({ path, change, fields }) => [path, change, fields])).toEqual([
    ['b', 'metadata', ['links']],
    ['z', 'changed', ['mtime']],
  ]);
});

test('a snapshot without a list, and a list out of order, are refused', async () => {
  const { one, ids } = await two(
    (frames) => [fileLine('a', at(frames, 0))],
    (frames) => [fileLine('b', at(frames, 0)), fileLine('a', at(frames, 0))],
  );
  expect(await codeOf(rowsOf(one, ...ids))).toBe('corrupt');
  await one.backend.remove(`survival/${ids[0]}.manifest`);
  expect(await codeOf(rowsOf(one, ...ids))).toBe('not-found');
  expect(await codeOf(rowsOf(one, '2020', 'latest'))).toBe('not-found');
});
