import { asFault, Fault, type WireFault } from '../../contract/faults.ts';
import type { BackupReport, BackupRequest, HookRecord, RetentionPolicy, Warning } from '../../contract/reports.ts';
import type { HookCommand, KeepSettings, ServerSettings } from '../../contract/server-settings.ts';
import type { OpenDestination } from '../engine.ts';
import { unlimited } from '../retention/policy.ts';
import type { JobOutcome, JobRun } from './job-queue.ts';
import { atRest } from './at-rest.ts';
import type { HookEnvironment, ServiceHost } from './ports.ts';
import { withWarnings } from './with-warnings.ts';

export interface BackupHow {
  /** Also when nothing has changed. */
  readonly force: boolean;
  /** Become the owner of a server that another computer backed up. */
  readonly takeOver: boolean;
  /** Rests on no earlier snapshot, whatever the settings say. */
  readonly whole?: boolean;
}

/** Everything that belongs to one backup of a server: its hooks, bringing it to rest, a snapshot in each destination, pruning, a quick look. */
export async function backupJob(host: ServiceHost, server: ServerSettings, how: BackupHow, run: JobRun): Promise<JobOutcome> {
  await host.knowSecrets?.();
  const environment = (result: string): HookEnvironment => ({
    HOLDFAST_JOB: run.id,
    HOLDFAST_SERVER: server.slug,
    HOLDFAST_SERVER_NAME: server.name,
    HOLDFAST_FOLDER: server.folder,
    HOLDFAST_RESULT: result,
  });
  const hooks = async (commands: readonly HookCommand[], result: string, signal: AbortSignal): Promise<void> => {
    for (const command of commands) {
      // Arguments may hold what is secret and known to nobody here.
      run.note('hook', { command: command.argv[0], ...(result === '' ? {} : { result }) });
      await host.runHook(command, environment(result), signal);
    }
  };
  // What is behind a backup is done however it ended, also after a cancellation.
  const anyway = new AbortController().signal;
  const warnings: Warning[] = [];
  const told = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const { message, context } = asFault(error, 'run hook');
      // A warning has no place of its own for what to do about it.
      warnings.push({ code: 'hook', message: typeof context['next'] === 'string' ? `${message}. ${context['next']}` : message });
    }
  };
  try {
    await hooks(server.hooks.before, '', run.signal);
    const ran = server.hooks.before.map(({ argv }): HookRecord => ({ when: 'before', command: argv[0] ?? '', result: 'success' }));
    const outcome = await backedUp(host, server, { ...how, hooks: ran }, run, warnings);
    await told(() => hooks(server.hooks.afterSuccess, 'success', anyway));
    await told(() => hooks(server.hooks.always, 'success', anyway));
    return { ...outcome, warnings };
  } catch (error) {
    await told(() => hooks(server.hooks.afterFailure, 'failure', anyway));
    await told(() => hooks(server.hooks.always, 'failure', anyway));
    throw withWarnings(asFault(error, 'backup'), warnings);
  }
}

async function backedUp(
  host: ServiceHost,
  server: ServerSettings,
  how: BackupHow & { readonly hooks: readonly HookRecord[] },
  run: JobRun,
  warnings: Warning[],
): Promise<JobOutcome> {
  // Opened before the server is brought to rest: a locked keychain or an ended sign-in must not stop its players.
  const { destinations: opened, failures } = await openAll(host, server.destinations);
  const stored = new Map<string, string>();
  const found = (): void => {
    const wire = (name: string): WireFault | null => failures.get(name)?.toWire() ?? null;
    run.found({ places: server.destinations.map((name) => ({ name, snapshot: stored.get(name) ?? null, fault: wire(name) })) });
  };
  if (opened.length === 0) {
    found();
    throwFirst(failures);
  }
  const reports = await atRest(host, server, run, warnings, async (rest) => {
    const places = opened.map(({ destination }) => destination);
    const outcomes = await host.engine.backupToAll(places, { ...requestOf(server, how), hooks: [...how.hooks, ...rest] }, run);
    const made: (readonly [string, OpenDestination, BackupReport])[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const place = opened[index];
      if (place === undefined) continue;
      if (!(outcome instanceof Fault)) made.push([place.name, place.destination, outcome]);
      else if (outcome.code === 'cancelled') throw outcome;
      else {
        failures.set(place.name, inDestination(outcome, place.name));
        run.note('not stored', { destination: place.name, code: outcome.code, message: outcome.message }, 'error');
      }
    }
    return made;
  });
  const policy = policyOf(server.keep);
  for (const [name, destination, report] of reports) {
    warnings.push(...report.warnings);
    const { id: snapshot, outcome, bytes, storedBytes } = report;
    stored.set(name, snapshot);
    run.note(outcome === 'written' ? 'stored' : 'unchanged', { destination: name, snapshot, bytes, storedBytes });
    await withRoom(name, destination, warnings, run);
    try {
      // Also when nothing was written: what holds this state may have been damaged or removed since.
      await quicklyVerified(host, server, destination, report, run);
      run.note('looked at quickly', { destination: name, snapshot });
    } catch (error) {
      const fault = asFault(error, 'verify');
      if (fault.code === 'cancelled') throw fault;
      failures.set(name, inDestination(fault, name));
      continue;
    }
    if (Object.keys(policy).length > 0) await pruned(host, server, name, destination, policy, warnings, run);
  }
  // The other destinations have got their snapshot all the same.
  found();
  throwFirst(failures);
  return outcomeOf(reports.map(([, , report]) => report));
}

interface Opened {
  readonly destinations: readonly { readonly name: string; readonly destination: OpenDestination }[];
  /** Of those that cannot be opened, by name. */
  readonly failures: Map<string, Fault>;
}

async function openAll(host: ServiceHost, names: readonly string[]): Promise<Opened> {
  const destinations: { name: string; destination: OpenDestination }[] = [];
  const failures = new Map<string, Fault>();
  for (const name of names) {
    try {
      destinations.push({ name, destination: await host.openDestination(name) });
    } catch (error) {
      failures.set(name, inDestination(asFault(error, 'open destination'), name));
    }
  }
  return { destinations, failures };
}

function throwFirst(failures: ReadonlyMap<string, Fault>): void {
  for (const fault of failures.values()) throw fault;
}

/** Whether the place is nearly full, where it tells: known before it is too late. */
async function withRoom(name: string, { backend }: OpenDestination, warnings: Warning[], run: JobRun): Promise<void> {
  const check = backend.info.ownChecks?.find((own) => own.name === 'space');
  if (check === undefined) return;
  try {
    const finding = await check.run('space', { signal: run.signal });
    if (typeof finding !== 'string')
      warnings.push({ code: 'quota-near', message: `${name}: ${finding.problem}`, destination: name, level: 'note' });
  } catch (error) {
    // The snapshot is there; that its place does not tell how full it is changes nothing about it.
    warnings.push({ code: 'quota-unknown', message: `${name}: ${asFault(error, 'look for space').message}`, level: 'note' });
  }
}

/** The snapshot is safe whether old ones could be removed or not: that is a warning, which people are told of. */
async function pruned(
  host: ServiceHost,
  server: ServerSettings,
  name: string,
  destination: OpenDestination,
  policy: RetentionPolicy,
  warnings: Warning[],
  run: JobRun,
): Promise<void> {
  try {
    const request = { server: server.name, policy, zone: server.zone, dryRun: false, takeOver: false };
    const report = await host.engine.prune(destination, request, run);
    warnings.push(...report.warnings);
    run.note('cleaned up', { destination: name, removed: report.remove.length, freedBytes: report.freedBytes });
  } catch (error) {
    const fault = asFault(error, 'prune');
    if (fault.code === 'cancelled') throw fault;
    warnings.push({ code: 'prune', message: `${name}: old snapshots could not be removed: ${fault.message}` });
  }
}

async function quicklyVerified(
  host: ServiceHost,
  server: ServerSettings,
  destination: OpenDestination,
  { id, outcome }: BackupReport,
  run: JobRun,
): Promise<void> {
  const { damage } = await host.engine.verify(destination, { snapshot: id, server: server.name, quick: true }, run);
  const [first] = damage;
  if (first === undefined) return;
  const which = outcome === 'written' ? 'what was just stored' : `the newest snapshot, ${id},`;
  throw new Fault('corrupt', `${which} is not whole: ${first.message}`, {
    operation: 'verify',
    context: {
      ...{ snapshot: id, object: first.object },
      next: `Make one that rests on nothing that is there: holdfast server backup ${server.slug} --force --whole`,
    },
  });
}

function requestOf(server: ServerSettings, { force, takeOver, whole }: BackupHow): BackupRequest {
  const rule = whole === true ? 'always' : server.whole;
  return {
    folder: server.folder,
    server: server.name,
    excludes: server.excludes,
    ...(server.preset === undefined ? {} : { preset: server.preset }),
    format: 'archive',
    level: server.level,
    volumeSize: 2 ** 30,
    force,
    takeOver,
    ...(rule === undefined ? {} : { whole: rule }),
    ...(server.ignoreInode === undefined ? {} : { ignoreInode: server.ignoreInode }),
  };
}

export function policyOf(keep: KeepSettings): RetentionPolicy {
  return Object.fromEntries(
    Object.entries(keep)
      .filter(([, count]) => count !== undefined && count !== 0)
      .map(([rule, count]) => [rule, count === 'unlimited' ? unlimited : count]),
  );
}

function inDestination(fault: Fault, destination: string): Fault {
  return new Fault(fault.code, `${destination}: ${fault.message}`, {
    operation: fault.operation,
    persistence: fault.persistence,
    context: { ...fault.context, destination },
    cause: fault,
  });
}

function outcomeOf(reports: readonly BackupReport[]): JobOutcome {
  const [first] = reports;
  if (first === undefined) throw new Fault('config-invalid', 'the server names no backup place', { operation: 'backup' });
  const unchanged = reports.every(({ outcome }) => outcome === 'unchanged');
  return {
    snapshot: first.id,
    unchanged,
    bytes: first.bytes,
    storedBytes: reports.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    summary: unchanged ? 'Nothing has changed since the last snapshot.' : `Snapshot ${first.id} was written.`,
  };
}
