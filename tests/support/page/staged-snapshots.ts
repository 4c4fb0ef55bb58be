import type { CallHandlers } from '../../../main/contract/calls.ts';

const hour = 3_600_000;
const day = 24 * hour;

type Handlers = Pick<CallHandlers, 'snapshots.list' | 'snapshot.entries' | 'snapshot.search' | 'snapshot.changes' | 'cleanup.preview'>;

/** Snapshots thinned out as the rules of a month would leave them; a folder `region` of 100,000 entries for measuring. */
export function stagedSnapshots(now: number, count = 24): Handlers {
  const times = Array.from({ length: count }, (_, index) =>
    index < 4 ? now - 2 * hour - index * 4 * hour : index < 12 ? now - (index - 3) * day : now - (index - 10) * 7 * day,
  );
  const rows = times.map((time, index) => ({
    ...{
      id: `k3v9q${String(index).padStart(3, '2')}`,
      time: new Date(time).toISOString(),
      files: 9_318 - index * 7,
      bytes: 5e9 - index * 2.1e7,
    },
    ...{ storedBytes: 3.6e9 - index * 1.1e7, complete: true, pinned: index === 14 },
    ...(index === 14 ? { note: 'Before the 1.22 update' } : {}),
  }));
  const entry = (path: string, type: 'file' | 'directory', size: number, at: number) => ({
    ...{ path, type, size, mode: type === 'file' ? 0o644 : 0o755, mtime: new Date(at).toISOString() },
  });
  const top = [
    entry('world', 'directory', 0, now - 3 * 60_000),
    entry('world_nether', 'directory', 0, now - hour),
    entry('plugins', 'directory', 0, now - 11 * day),
    entry('config', 'directory', 0, now - 23 * day),
    entry('server.properties', 'file', 1_412, now - 5 * day),
    entry('server.jar', 'file', 49_872_113, now - 60 * day),
    entry('ops.json', 'file', 212, now - 80 * day),
  ];
  const inside: Readonly<Record<string, readonly ReturnType<typeof entry>[]>> = {
    '': top,
    '.': top,
    world: [
      entry('world/playerdata', 'directory', 0, now - 4 * 60_000),
      entry('world/region', 'directory', 0, now - 3 * 60_000),
      entry('world/level.dat', 'file', 2_612, now - 3 * 60_000),
    ],
  };
  return {
    'snapshots.list': async () => rows,
    'snapshot.entries': async ({ path }) => {
      if (path !== 'world/region') return [...(inside[path] ?? [])];
      return Array.from({ length: 100_000 }, (_, index) =>
        entry(
          `world/region/r.${String(index % 400)}.${String(Math.floor(index / 400))}.mca`,
          'file',
          4e6 + ((index * 7919) % 8e6),
          now - index * 60_000,
        ),
      );
    },
    'snapshot.search': async ({ text }) => ({
      entries: [...top, ...(inside['world'] ?? [])].filter(({ path }) => path.includes(text)),
      more: false,
    }),
    'snapshot.changes': async () => ({
      ...{ before: rows[1]?.id ?? null, created: 3, changed: 212, gone: 1 },
      list: [
        { path: 'world/level.dat', kind: 'changed' as const, size: 2_612 },
        { path: 'world/region/r.2.0.mca', kind: 'new' as const, size: 4_400_000 },
        { path: 'world/region/r.9.999.mca', kind: 'gone' as const, size: 2_000_000 },
      ],
    }),
    'cleanup.preview': async () => ({
      keep: rows.slice(0, -2).map(({ id }, index) => ({
        id,
        reasons:
          index === 0
            ? ['last snapshot', 'daily snapshot']
            : index < 3
              ? ['last snapshot']
              : index < 12
                ? ['daily snapshot']
                : ['weekly snapshot'],
      })),
      remove: rows.slice(-2).map(({ id }) => id),
      freedBytes: 9.6e9,
    }),
  };
}
