import { Fault } from '../../contract/faults.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';

/** One machine owns a server's folder in a destination: two that write or prune would remove what the other relies on. */
export function checkOwner(last: ManifestHeader | null, machine: string, takeOver: boolean): void {
  if (last === null || last.machine === machine || takeOver) return;
  throw new Fault(
    'locked',
    `"${last.server}" belongs to another machine (${last.host}); it may be read from here, and taken over with --take-over`,
    {
      operation: 'check owner',
      context: { server: last.slug, host: last.host },
    },
  );
}
