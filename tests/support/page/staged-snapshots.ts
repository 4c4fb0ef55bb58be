import type { CallHandlers } from '../../../main/contract/calls.ts';
import { decideRetention } from '../../../main/engine/retention/decide.ts';

const hour = 3_600_000;
const day = 24 * hour;

type Handlers = Pick<
  CallHandlers,
  'snapshots.list' | 'snapshot.newest' | 'snapshot.entries' | 'snapshot.search' | 'snapshot.changes' | 'cleanup.preview'
>;

const zone = 'Europe/Berlin';
const rules = { last: 3, daily: 7, weekly: 4, monthly: 6 };

/** When a server that is backed up every four hours since half a year has snapshots, the rules having been followed until yesterday evening. */
function keptTimes(now: number): readonly number[] {
  const all = Array.from({ length: 180 * 6 }, (_, index) => now - 2 * hour - index * 4 * hour);
  const lately = now - 16 * hour;
  const earlier = all.filter((time) => time < lately).map((time) => ({ id: String(time), time, complete: true }));
  const kept = decideRetention(earlier, rules, { zone, now: lately }).keep.map(({ time }) => time);
  return [...all.filter((time) => time >= lately), ...kept];
}

/** Snapshots as the rules leave them, or that many of them; a folder `region` of 100,000 entries for measuring. */
export function stagedSnapshots(now: number, count?: number): Handlers {
  const times = count === undefined ? keptTimes(now) : Array.from({ length: count }, (_, index) => now - 2 * hour - index * 4 * hour);
  const rows = times.map((time, index) => ({
    ...{
      id: `snap-${String(index).padStart(4, '0')}`,
      time: new Date(time).toISOString(),
      files: 9_318 - index * 7,
      bytes: Math.round(5e9 - index * 1e7),
    },
    ...{ storedBytes: Math.round(3.6e9 / (1 + (index % 5))), complete: index !== 9, pinned: index === 14 },
    ...(index === 0 ? { newest: true as const } : {}),
    ...(index === 14 ? { note: 'Before the 1.22 update' } : {}),
    ...(index === 9 ? { problem: 'no manifest: the run did not end' } : {}),
    ...(index === 6 ? { problem: 'written with 2 warnings' } : {}),
  }));
  const candidates = rows.map(({ id, time, complete, pinned }) => ({ id, time: Date.parse(time), complete, pinned }));
  const decided = decideRetention(candidates, count === undefined ? rules : { last: count }, { zone, now });
  const entry = (path: string, type: 'file' | 'directory', size: number, at: number) => ({
    ...{ path, type, size, mode: type === 'file' ? 0o644 : 0o755, mtime: new Date(at).toISOString() },
  });
  const top = [
    entry('world', 'directory', 3.9e9, now - 3 * 60_000),
    entry('world_nether', 'directory', 8.11e8, now - hour),
    entry('plugins', 'directory', 2.14e8, now - 11 * day),
    entry('config', 'directory', 1.8e6, now - 23 * day),
    entry('server.properties', 'file', 1_412, now - 5 * day),
    entry('server.jar', 'file', 49_872_113, now - 60 * day),
    entry('ops.json', 'file', 212, now - 80 * day),
  ];
  const inside: Readonly<Record<string, readonly ReturnType<typeof entry>[]>> = {
    '': top,
    '.': top,
    world: [
      entry('world/playerdata', 'directory', 4.1e6, now - 4 * 60_000),
      entry('world/region', 'directory', 3.6e9, now - 3 * 60_000),
      entry('world/level.dat', 'file', 2_612, now - 3 * 60_000),
    ],
  };
  return {
    'snapshots.list': async () => rows,
    'snapshot.newest': async () => rows.find(({ newest }) => newest) ?? null,
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
        { path: 'world/region/r.9.999.mca', kind: 'gone' as const, size: 2_000_000 },
        ...[0, 1, 2].map((index) => ({ path: `world/region/r.${String(index)}.0.mca`, kind: 'new' as const, size: 4_400_000 })),
        ...Array.from({ length: 211 }, (_, index) => ({
          path: `world/region/r.${String(index + 3)}.1.mca`,
          kind: 'changed' as const,
          size: 4e6 + ((index * 7919) % 8e6),
        })),
      ],
    }),
    'cleanup.preview': async () => ({
      keep: decided.keep.map(({ id, reasons }) => ({ id, reasons: [...reasons] })),
      remove: decided.remove.map(({ id }) => id),
      freedBytes: decided.remove.length * 3.2e9,
    }),
  };
}
