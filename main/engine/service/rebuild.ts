import { asFault, type Fault } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { SnapshotRow } from '../../contract/reports.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import { largestClockOffsetMs } from '../storage/check-destination.ts';
import type { ServerFacts, ServiceHost } from './ports.ts';

export interface Rebuilt {
  /** Null where no destination that could be asked holds a snapshot. */
  readonly facts: Pick<ServerFacts, 'lastSuccess' | 'places' | 'unchangedSince' | 'bytes' | 'storedBytes'> | null;
  /** A backup for each run that snapshots tell of, marked as rebuilt, newest first. */
  readonly jobs: readonly Job[];
  /** Why destinations could not be asked now, by name. */
  readonly unasked: ReadonlyMap<string, Fault>;
}

/** A snapshot that a destination holds. */
export interface Found {
  readonly destination: string;
  readonly time: number;
  readonly row: SnapshotRow;
}

/** The copies of one run are begun within this; a retry comes much later. */
const oneRunMs = 60_000;

/**
 * What the destinations themselves tell of a server whose history is gone or was never here. `asked`: what was found before, by destination: they are not
 * asked again, and those that answer now come to it. Never throws.
 */
export async function historyFromDestinations(
  host: ServiceHost,
  server: ServerSettings,
  asked: Map<string, readonly Found[]>,
  signal: AbortSignal,
): Promise<Rebuilt> {
  const unasked = new Map<string, Fault>();
  for (const destination of server.destinations) {
    if (asked.has(destination)) continue;
    try {
      asked.set(destination, await snapshotsIn(host, destination, server, signal));
    } catch (error) {
      unasked.set(destination, asFault(error, 'rebuild history'));
    }
  }
  const found = [...asked.values()].flat();
  const runs = runsOf(found).reverse();
  return { facts: factsOf(found, runs, host.clock.now()), jobs: runs.flatMap((run) => jobOf(server.slug, run)), unasked };
}

/** Oldest first; each with at most one snapshot of a destination. */
function runsOf(found: readonly Found[]): (readonly Found[])[] {
  const runs: Found[][] = [];
  for (const one of found.toSorted((a, b) => a.time - b.time)) {
    const last = runs.at(-1);
    const [first] = last ?? [];
    const isSame =
      first !== undefined && one.time - first.time <= oneRunMs && last?.every(({ destination }) => destination !== one.destination);
    if (isSame === true) last?.push(one);
    else runs.push([one]);
  }
  return runs;
}

async function snapshotsIn(
  host: ServiceHost,
  destination: string,
  { slug }: ServerSettings,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const place = await host.openDestination(destination);
  if (!(await host.engine.hasVault(place.backend, { signal }))) return [];
  const rows = await host.engine.snapshots(place, { server: slug }, { signal });
  return rows.filter((row) => row.complete && row.bytes !== null).map((row) => ({ destination, time: Date.parse(row.time), row }));
}

/** `runs`: newest first. Of what is dated in the future nobody knows when it was written: it counts only where there is nothing else. */
function factsOf(found: readonly Found[], runs: readonly (readonly Found[])[], now: number): Rebuilt['facts'] {
  const isPast = ({ time }: Found): boolean => time <= now + largestClockOffsetMs;
  const newest = runs.find((run) => run.every(isPast)) ?? runs[0];
  const [first] = newest ?? [];
  if (newest === undefined || first === undefined) return null;
  const places: Record<string, number> = {};
  for (const [destination, here] of Map.groupBy(found, (one) => one.destination)) {
    const past = here.filter(isPast);
    places[destination] = Math.max(...(past.length === 0 ? here : past).map(({ time }) => time));
  }
  return {
    // The id's time is that of the start, as a run's success is. Of several places the one that is the furthest behind counts.
    ...{ lastSuccess: Math.min(...Object.values(places)), places, unchangedSince: first.time },
    ...{ bytes: first.row.bytes ?? 0, storedBytes: stored(newest) },
  };
}

const stored = (run: readonly Found[]): number => run.reduce((sum, { row }) => sum + row.storedBytes, 0);

function jobOf(slug: string, run: readonly Found[]): readonly Job[] {
  const [first] = run;
  if (first === undefined) return [];
  const { time, row } = first;
  return [
    {
      ...{ id: `rebuilt-${slug}-${time}`, kind: 'backup', server: slug, destination: null, state: 'done', rebuilt: true },
      // What asked for it, and when it ended, no snapshot says.
      ...{ reason: 'schedule', queuedAt: time, startedAt: time, endedAt: time, progress: null },
      ...{ summary: `Snapshot ${row.id} was found in the backup place.`, snapshot: row.id, unchanged: false },
      ...{ bytes: row.bytes ?? 0, storedBytes: stored(run), warnings: [], fault: null },
      places: run.map(({ destination, row: { id } }) => ({ name: destination, snapshot: id, fault: null })),
      ...(row.files === null ? {} : { files: row.files }),
    },
  ];
}
