import { asFault, Fault } from '../../contract/faults.ts';
import type { BackupReport, BackupRequest, RunContext } from '../../contract/reports.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { presetPatterns } from '../presets.ts';
import { openPlace, type BackupPlace, type BackupRun } from './backup-place.ts';
import { finish, targetFor } from './backup-write.ts';

/** Turns a folder into a snapshot. What fails leaves the destination as it was, but for a vault. */
export async function backup(
  host: EngineHost,
  destination: OpenDestination,
  request: BackupRequest,
  run: RunContext,
): Promise<BackupReport> {
  const [outcome] = await backupToAll(host, [destination], request, run);
  if (outcome === undefined || outcome instanceof Fault) throw outcome ?? new Fault('unexpected', 'there was no destination');
  return outcome;
}

/**
 * A snapshot of a folder in each of several destinations, in their order: the folder is read once, and each copy is sealed, stored and checked by
 * itself. One that fails is as it was before, and the others go on, all at the pace of the slowest. Throws for what concerns all of them.
 */
export async function backupToAll(
  host: EngineHost,
  destinations: readonly OpenDestination[],
  request: BackupRequest,
  run: RunContext,
): Promise<readonly (BackupReport | Fault)[]> {
  const started = host.clock.now();
  const source = await host.openSource(request.folder);
  const excludes = [...(request.preset === undefined ? [] : presetPatterns(request.preset)), ...source.ignore, ...request.excludes];
  const all: BackupRun = { host, source, excludes, request, run };
  const outcomes = new Map<number, BackupReport | Fault>();
  const places = new Map<number, BackupPlace>();
  const elapsed = (report: Omit<BackupReport, 'elapsedMs'>): BackupReport => ({ ...report, elapsedMs: host.clock.now() - started });
  try {
    for (const [index, destination] of destinations.entries()) {
      try {
        const place = await openPlace(all, destination);
        if ('outcome' in place) outcomes.set(index, elapsed(place));
        else places.set(index, place);
      } catch (error) {
        outcomes.set(index, asFault(error, 'backup'));
      }
    }
    if (places.size > 0) {
      const written = await writeTo(all, [...places.values()]);
      for (const [at, index] of [...places.keys()].entries()) {
        const outcome = written[at] ?? new Fault('unexpected', 'nothing came of this destination', { operation: 'backup' });
        outcomes.set(index, outcome instanceof Fault ? outcome : elapsed(outcome));
      }
    }
  } finally {
    for (const { lock } of places.values()) await lock.release();
  }
  return destinations.map(
    (_, index) => outcomes.get(index) ?? new Fault('unexpected', 'a destination was left out', { operation: 'backup' }),
  );
}

type Written = Omit<BackupReport, 'elapsedMs'> | Fault;

/** Never rejects: what has failed is undone, and is a fault of its place. */
async function writeTo(all: BackupRun, places: readonly BackupPlace[]): Promise<readonly Written[]> {
  const { host, source, excludes, request, run } = all;
  const undone = async (place: BackupPlace, error: unknown): Promise<Fault> => await place.written.undo(asFault(error, 'backup'));
  try {
    const targets = await Promise.all(places.map((place) => targetFor(all, place)));
    const { level, volumeSize, format } = request;
    const packed = await host.packer({ root: source.root, excludes, level, volumeSize, format }, targets, run);
    try {
      const written: Written[] = [];
      for (const [index, place] of places.entries()) {
        const archives = packed.outcomes[index] ?? [];
        try {
          if (archives instanceof Fault) throw archives;
          written.push(await finish(all, place, { ...packed, archives }));
        } catch (error) {
          written.push(await undone(place, error));
        }
      }
      return written;
    } finally {
      await packed.entryLines.dispose();
    }
  } catch (error) {
    const faults: Fault[] = [];
    for (const place of places) faults.push(await undone(place, error));
    return faults;
  }
}
