import type { ServerSettings } from '../../contract/server-settings.ts';
import type { ServerFacts, ServiceHost } from './ports.ts';

/**
 * What the destinations themselves tell of a server whose history is gone or was never here: when its newest snapshot was made, and its size.
 * Null where there is none. Throws a Fault when no destination can be asked.
 */
export async function factsFromDestinations(
  host: ServiceHost,
  server: ServerSettings,
  signal: AbortSignal,
): Promise<Pick<ServerFacts, 'lastSuccess' | 'unchangedSince' | 'bytes' | 'storedBytes'> | null> {
  let newest: { readonly time: number; readonly bytes: number; readonly storedBytes: number } | null = null;
  for (const name of server.destinations) {
    const destination = await host.openDestination(name);
    if (!(await host.engine.hasVault(destination.backend, { signal }))) continue;
    for (const row of await host.engine.snapshots(destination, { server: server.slug }, { signal })) {
      const time = Date.parse(row.time);
      if (!row.complete || row.bytes === null || (newest !== null && newest.time >= time)) continue;
      newest = { time, bytes: row.bytes, storedBytes: row.storedBytes };
    }
  }
  if (newest === null) return null;
  // The id's time is that of the start, as a run's success is.
  return { lastSuccess: newest.time, unchangedSince: newest.time, bytes: newest.bytes, storedBytes: newest.storedBytes };
}
