import { asFault, Fault } from '../../contract/faults.ts';
import type { BackupReport, BackupRequest, RunContext, Warning } from '../../contract/reports.ts';
import type { OlderLists, PackResult } from '../archive/packer.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { presetPatterns } from '../presets.ts';
import { openPlace, type BackupPlace, type BackupRun } from './backup-place.ts';
import { finish, targetFor, type Finished } from './backup-write.ts';
import { baseIdentity, packBase, without, type Ground } from './base.ts';
import { CommonOlder } from './common-older.ts';
import { withUnfinished } from './going-on.ts';
import { lockName } from './lock-name.ts';
import { checkOwner, ownerOf } from './owner.ts';
import { listServer, openedCatalog } from '../snapshots/catalog.ts';
import { newSnapshotId, readObjectName } from '../snapshots/names.ts';
import { lastHeader } from '../snapshots/written-order.ts';
import type { CallOptions } from '../storage/backend.ts';
import { Written as WrittenKeys } from './written.ts';

/** Turns a folder into a snapshot. What fails leaves the destination as it was, but for a vault and the finished volumes that the next run goes on with (docs/decisions/0064). */
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
 * A snapshot of a folder in each of several destinations, in their order: what they are compared with being the same, the folder is read once, and
 * each copy is sealed, stored and checked by itself. One that fails is as it was before, and the others go on, all at the pace of the slowest. Throws for what concerns all of them.
 */
export async function backupToAll(
  host: EngineHost,
  destinations: readonly OpenDestination[],
  request: BackupRequest,
  run: RunContext,
): Promise<readonly (BackupReport | Fault)[]> {
  const started = host.clock.now();
  const recovered = await finishExchange(host, request.folder);
  const source = await host.openSource(request.folder);
  const excludes = [...(request.preset === undefined ? [] : presetPatterns(request.preset)), ...source.ignore, ...request.excludes];
  const all: BackupRun = { host, source, excludes, request, run };
  const outcomes = new Map<number, BackupReport | Fault>();
  const places = new Map<number, BackupPlace>();
  const elapsed = (report: Omit<BackupReport, 'elapsedMs'>): BackupReport => {
    return { ...report, warnings: [...recovered, ...report.warnings], elapsedMs: host.clock.now() - started };
  };
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
      const written = await writeAll(all, [...places.values()]);
      for (const [at, index] of [...places.keys()].entries()) {
        const outcome = written[at] ?? nothing();
        outcomes.set(index, outcome instanceof Fault ? outcome : elapsed(outcome));
      }
    }
  } finally {
    for (const { lock, base } of places.values()) {
      await base?.spool.dispose();
      await lock.release();
    }
  }
  return destinations.map(
    (_, index) => outcomes.get(index) ?? new Fault('unexpected', 'a destination was left out', { operation: 'backup' }),
  );
}

/**
 * A folder that is half exchanged is a state that never was; and while a restore is at work on it, it is about to become one: fault locked.
 * A journal that nobody can follow is anybody's, who may write into the folder: it is told, and takes no backup away.
 */
async function finishExchange(host: EngineHost, folder: string): Promise<readonly Warning[]> {
  try {
    return (await host.targets.recover(folder)).map((message) => ({ code: 'recovered', message, level: 'note' }));
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'corrupt') throw error;
    return [{ code: 'recovered', message: `${error.message}. Where no restore of this folder was cut short, remove that file` }];
  }
}

type Written = Finished | Fault;

/** One reading for all places that lack the same; those that hold another state are read for by themselves. */
async function writeAll(all: BackupRun, places: readonly BackupPlace[]): Promise<readonly Written[]> {
  const groups = new Map<string, BackupPlace[]>();
  for (const place of places) {
    const identity = places.length === 1 ? '' : await identityOf(all, place);
    groups.set(identity, [...(groups.get(identity) ?? []), place]);
  }
  const written = new Map<BackupPlace, Written>();
  for (const group of groups.values()) {
    const outcomes = await writeTo(all, group);
    for (const [index, place] of group.entries()) written.set(place, outcomes[index] ?? nothing());
  }
  return places.map((place) => written.get(place) ?? nothing());
}

/** One whose base cannot be read to its end is read for by itself: it builds on what can be read of it. */
async function identityOf({ host }: BackupRun, place: BackupPlace): Promise<string> {
  try {
    return await baseIdentity(host, place.base);
  } catch (error) {
    const { code } = asFault(error, 'compare manifests');
    if (code !== 'corrupt' && code !== 'truncated') throw error;
    return `by itself ${lockName(place.destination, place.slug)}`;
  }
}

const nothing = (): Fault => new Fault('unexpected', 'nothing came of this destination', { operation: 'backup' });

/** Never rejects: what has failed is undone, and is a fault of its place. All have the same base. */
async function writeTo(all: BackupRun, places: readonly BackupPlace[]): Promise<readonly Written[]> {
  const undone = async (place: BackupPlace, error: unknown): Promise<Fault> => await place.written.undo(asFault(error, 'backup'));
  let packed: PackResult;
  try {
    packed = await pack(all, places);
  } catch (error) {
    const faults: Fault[] = [];
    for (const place of places) faults.push(await undone(place, error));
    return faults;
  }
  // First all that this reading finishes, then what must be read again: that may take as long once more.
  const ended: (Written | { readonly lost: ReadonlySet<string> })[] = [];
  for (const [index, place] of places.entries()) {
    const archives = packed.outcomes[index] ?? [];
    try {
      if (archives instanceof Fault) throw archives;
      const finished = await finish(all, place, { ...packed, archives });
      ended.push('outcome' in finished ? finished : { lost: finished });
    } catch (error) {
      ended.push(await undone(place, error));
    }
  }
  // A temporary file that stays takes nothing back that is stored.
  await packed.entryLines.dispose().catch(() => undefined);
  const written: Written[] = [];
  for (const [index, place] of places.entries()) {
    const outcome = ended[index] ?? nothing();
    try {
      written.push('lost' in outcome ? await writtenAnew(all, place, outcome.lost) : outcome);
    } catch (error) {
      written.push(await undone(place, error));
    }
  }
  return written;
}

async function pack(all: BackupRun, places: readonly BackupPlace[]): Promise<PackResult> {
  const { host, source, excludes, request, run } = all;
  const targets = await Promise.all(places.map((place) => targetFor(all, place)));
  const { level, volumeSize, format } = request;
  const base = packBase(places[0]?.base ?? null, olderOf(host, places), request);
  return await host.packer({ root: source.root, excludes, level, volumeSize, format, base }, targets, run);
}

/** What other snapshots hold may differ from place to place, and one reading finds the same for all. */
function olderOf(host: EngineHost, places: readonly BackupPlace[]): OlderLists | null {
  const older = places.flatMap((place) => place.older ?? []);
  if (older.length < places.length) return null;
  return older.length === 1 ? (older[0] ?? null) : new CommonOlder(host, older);
}

/**
 * Archives that the snapshot was to name are lost: what they held is sent again, and nothing else that is written down. Each time there is less to build on, and of its own
 * volumes a run loses some only once, so that it ends. Who has taken the server over meanwhile may be who removed them: then it ends at once.
 */
async function writtenAnew(all: BackupRun, place: BackupPlace, lost: ReadonlySet<string>): Promise<Written> {
  const { backend } = place.destination;
  const fault = new Fault('corrupt', `${[...lost][0]} was lost during the run`, { operation: 'backup' });
  const lostOwn = [...lost].some((key) => readObjectName(key)?.id === place.id);
  if (lostOwn && place.lostOwn === true) throw fault;
  // What cannot be removed now is a leftover that a prune sweeps: the new objects have a name of their own.
  await place.written.undo(fault);
  const left = place.base === null ? null : without(place.base, lost);
  const base = await withOwnVolumes(all, place, left);
  try {
    const id = newSnapshotId(place.time, all.host.random, [place.id]);
    const partials = [...place.partials, ...place.written.partials];
    const older = base === null ? null : (place.older?.without(base, lost) ?? null);
    const again = { ...place, id, written: new WrittenKeys(backend), base, older, partials, lostOwn: lostOwn || place.lostOwn === true };
    const [outcome] = await writeTo(all, [again]);
    return outcome ?? nothing();
  } finally {
    if (base !== left) await base?.spool.dispose();
  }
}

/** Laid over what is left to build on, as by a run after one that was cut off. Fault locked where the server is another machine's by now. */
async function withOwnVolumes({ host, source, run }: BackupRun, place: BackupPlace, left: Ground | null): Promise<Ground | null> {
  const { destination, vault, slug, id, machine, clockOffset } = place;
  const options: CallOptions = { signal: run.signal };
  const listing = await listServer(destination.backend, slug, options);
  const catalog = openedCatalog(destination.backend, vault, host);
  const providerNow = host.clock.now() + clockOffset;
  const last = await lastHeader(catalog, listing, options);
  const owner = await ownerOf(catalog, listing, { last, providerNow }, options);
  checkOwner(owner, machine.id, owner?.machine === place.owner);
  const about = { base: left, last, machine: machine.id, source, providerNow, only: id };
  return await withUnfinished(host, catalog, listing, about, options);
}
