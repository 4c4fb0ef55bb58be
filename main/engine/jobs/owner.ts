import { Fault } from '../../contract/faults.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';

/** One machine owns a server's folder in a destination: two that write or prune would remove what the other relies on. */
export function checkOwner(newest: ManifestHeader | null, machine: string, takeOver: boolean): void {
  if (newest === null || newest.machine === machine || takeOver) return;
  throw new Fault(
    'locked',
    `"${newest.server}" belongs to another machine (${newest.host}); it may be read from here, and taken over with --take-over`,
    {
      operation: 'check owner',
      context: { server: newest.slug, host: newest.host },
    },
  );
}
