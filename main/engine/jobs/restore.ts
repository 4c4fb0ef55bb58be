import type { RestoreReport, RestoreRequest, RunContext, Warning } from '../../contract/reports.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { findObject, openedCatalog } from '../snapshots/catalog.ts';
import { snapshotTime } from '../snapshots/names.ts';
import { selectSnapshot } from '../snapshots/select.ts';
import { loadVault } from '../snapshots/vault-store.ts';
import type { CallOptions } from '../storage/backend.ts';
import { largestClockOffsetMs } from '../storage/check-destination.ts';
import { classicAlone } from './classic-alone.ts';
import { keepApart } from './places.ts';
import { restoreArchive } from './restore-archive.ts';
import { restoreClassic } from './restore-classic.ts';
import { withWayOut } from './way-out.ts';

/** Brings a snapshot back: built and verified in a staging folder, then exchanged with the target in one step. */
export async function restore(
  host: EngineHost,
  destination: OpenDestination,
  request: RestoreRequest,
  run: RunContext,
): Promise<RestoreReport> {
  const started = host.clock.now();
  keepApart(request.target, destination.localPath);
  const recovered = await host.targets.recover(request.target);
  const options: CallOptions = { signal: run.signal };
  const warnings: Warning[] = recovered.map((message) => ({ code: 'recovered', message, level: 'note' }));
  const ended = (report: Omit<RestoreReport, 'elapsedMs'>): RestoreReport => {
    return { ...report, warnings: [...warnings, ...report.warnings], elapsedMs: host.clock.now() - started };
  };
  let vault: OpenVault;
  try {
    vault = await loadVault(destination.backend, { ...options, credentials: destination.credentials });
  } catch (error) {
    const classic = await classicAlone(error, destination.backend, request, options);
    return ended(await restoreClassic(host, destination, classic, request, run));
  }
  const catalog = openedCatalog(destination.backend, vault, host);
  const snapshot = await selectSnapshot(catalog, request, options);
  const manifest = findObject(snapshot, 'manifest');
  if (vault.damage !== undefined) warnings.push({ code: 'vault', message: vault.damage });
  if (request.snapshot === 'latest' && snapshotTime(snapshot.id) > host.clock.now() + largestClockOffsetMs) {
    const message = `the latest snapshot, ${snapshot.id}, is dated in the future: it is the last one by the times of this backup place, which are others in a copy; any other is named by its own id`;
    warnings.push({ code: 'clock', message });
  }
  try {
    return ended(
      manifest === null && findObject(snapshot, 'classic') !== null
        ? await restoreClassic(host, destination, snapshot, request, run)
        : await restoreArchive(host, catalog, snapshot, destination.localPath, request, run),
    );
  } catch (error) {
    throw await withWayOut(host, error, catalog, snapshot, request.salvage, options);
  }
}
