import { asFault, Fault } from '../../contract/faults.ts';
import type { RestoreReport, RestoreRequest, Warning } from '../../contract/reports.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import { markOf } from './at-rest.ts';
import type { JobOutcome, JobRun } from './job-queue.ts';
import type { Quiesce, ServiceHost } from './ports.ts';
import { withWarnings } from './with-warnings.ts';

/** Reads a snapshot back. Damage is a fault that names the first of it. */
export async function verifyJob(
  host: ServiceHost,
  server: ServerSettings,
  place: { readonly destination: string; readonly snapshot: string; readonly quick: boolean },
  run: JobRun,
): Promise<JobOutcome> {
  const destination = await host.openDestination(place.destination);
  const report = await host.engine.verify(destination, { snapshot: place.snapshot, server: server.name, quick: place.quick }, run);
  const [first] = report.damage;
  if (first !== undefined) {
    throw new Fault('corrupt', `${first.object}: ${first.message}`, {
      operation: 'verify',
      context: { destination: place.destination, snapshot: first.snapshot, object: first.object },
    });
  }
  const [only] = report.snapshots;
  const count = report.snapshots.length;
  return {
    snapshot: count === 1 ? (only?.id ?? null) : null,
    bytes: report.snapshots.reduce((sum, { bytes }) => sum + bytes, 0),
    warnings: [...report.warnings],
    summary: count === 1 ? `Snapshot ${only?.id ?? ''} is whole.` : `${count} snapshots are whole.`,
  };
}

/**
 * A test restore of the newest snapshot into a scratch folder, which is removed again. The engine compares every file with the manifest
 * before a restore ends, so that one which ends well is the proof.
 */
export async function drillJob(host: ServiceHost, server: ServerSettings, destinationName: string, run: JobRun): Promise<JobOutcome> {
  const destination = await host.openDestination(destinationName);
  const scratch = await host.scratch();
  try {
    const report = await host.engine.restore(
      destination,
      {
        snapshot: 'latest',
        server: server.name,
        target: `${scratch.path}/restored`,
        include: [],
        replace: false,
        force: false,
        salvage: false,
      },
      run,
    );
    return {
      snapshot: report.id,
      bytes: report.bytes,
      files: report.files,
      warnings: [...report.warnings],
      summary: `Snapshot ${report.id} was brought back for trial: ${counted(report.files, 'is', 'are')} as ${report.files === 1 ? 'it was' : 'they were'}.`,
    };
  } finally {
    await scratch.remove();
  }
}

/** Brings a snapshot back; one that replaces the server's own folder stops the server before and starts it afterwards. */
export async function restoreJob(
  host: ServiceHost,
  server: ServerSettings,
  destinationName: string,
  request: RestoreRequest,
  run: JobRun,
): Promise<JobOutcome> {
  const destination = await host.openDestination(destinationName);
  const isOwn = async (): Promise<boolean> => (await host.realPlace(request.target)) === (await host.realPlace(server.folder));
  const inPlace = request.replace && server.quiesce.kind !== 'none' && (await isOwn());
  // Before anything is stopped: a mistyped id or a place that cannot be reached must not cost the players their game.
  for await (const entry of host.engine.list(destination, { snapshot: request.snapshot, server: server.name }, run)) {
    if (entry.path !== '') break;
  }
  if (!inPlace) return outcomeOf(await host.engine.restore(destination, request, run), []);
  // Another configuration may have it at rest for a backup: what is stopped, exchanged and started meanwhile would be in the middle of its snapshot.
  const held = await host.holdRest?.(server.folder);
  try {
    return await restoredInPlace(host, server, () => host.engine.restore(destination, request, run), run);
  } finally {
    await held?.release();
  }
}

async function restoredInPlace(
  host: ServiceHost,
  server: ServerSettings,
  restore: () => Promise<RestoreReport>,
  run: JobRun,
): Promise<JobOutcome> {
  const quiesce = await host.quiesce(server);
  if (quiesce.stop === undefined || (await quiesce.isRunning?.(run.signal)) === false) {
    return outcomeOf(await restore(), quiesce.stop === undefined ? [notStopped(server)] : []);
  }
  const mark = markOf(host, server);
  const warnings: Warning[] = [];
  let stop: Stop = 'not-stopped';
  await mark(true);
  try {
    stop = await stopped(quiesce.stop, run.signal);
    if (stop === 'stopped') run.note('server stopped', { how: server.quiesce.kind });
    const report = await restore();
    await startAgain(server, quiesce, stop, warnings, mark);
    return outcomeOf(report, warnings);
  } catch (error) {
    const fault = asFault(error, 'restore');
    await startAgain(server, quiesce, fault.context['told'] === 'stop' ? 'told' : stop, warnings, mark);
    throw withWarnings(fault, warnings);
  }
}

/** `not-stopped`: it was off already, or has refused; `told`: it was told to, and has yet to end. */
type Stop = 'stopped' | 'told' | 'not-stopped';

async function stopped(stop: NonNullable<Quiesce['stop']>, signal: AbortSignal): Promise<Stop> {
  return (await stop(signal)) ? 'stopped' : 'not-stopped';
}

function notStopped({ name }: ServerSettings): Warning {
  const message = `${name} was not stopped: nothing in its settings says how. If it ran meanwhile, stop it without saving, and bring the snapshot back again`;
  return { code: 'quiesce', message };
}

function outcomeOf(report: RestoreReport, warnings: readonly Warning[]): JobOutcome {
  const files = counted(report.files, 'was', 'were');
  return {
    snapshot: report.id,
    bytes: report.bytes,
    files: report.files,
    ...(report.before === null ? {} : { kept: true }),
    warnings: [...report.warnings, ...warnings],
    summary: report.before === null ? `${files} brought back.` : `${files} brought back; what was there before is kept.`,
  };
}

/** Never throws: what came back is there, and what went wrong before is what is told first. The mark stays while the server could not be started. */
async function startAgain(
  server: ServerSettings,
  quiesce: Quiesce,
  stop: Stop,
  warnings: Warning[],
  mark: (resting: boolean) => Promise<void>,
): Promise<void> {
  try {
    if (quiesce.start === undefined && stop !== 'not-stopped') {
      const what = stop === 'stopped' ? 'was stopped, and' : 'was told to stop, may end yet, and';
      warnings.push({ code: 'quiesce', message: `${server.name} ${what} cannot be started from here: start it now` });
    }
    await quiesce.start?.();
    await mark(false);
  } catch (error) {
    warnings.push({ code: 'quiesce', message: `${server.name} could not be started: ${asFault(error, 'start server').message}` });
  }
}

function counted(files: number, one: string, many: string): string {
  return files === 1 ? `1 file ${one}` : `${files} files ${many}`;
}
