import { Fault } from '../../contract/faults.ts';
import type { BackupRequest, Warning } from '../../contract/reports.ts';
import type { SourceFolder } from '../host.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';

/**
 * A server whose last snapshot is of another folder of this machine. Named by whoever asks, it has moved, which is told once: the next snapshot is of
 * this folder. Else two folders happen to be called alike: fault config-invalid, as retention of the one would remove the other's snapshots.
 */
export function movedFolder(
  last: ManifestHeader | null,
  { machine, source, request }: { readonly machine: string; readonly source: SourceFolder; readonly request: BackupRequest },
): readonly Warning[] {
  // Another machine's paths say nothing of this one's.
  if (last === null || last.machine !== machine || last.root === source.root) return [];
  if (request.server !== undefined) {
    const message = `the snapshots of "${last.server}" were of ${last.root} up to now, and this one is of ${source.root}`;
    return [{ code: 'other-folder', message, level: 'note' }];
  }
  throw new Fault('config-invalid', `"${last.server}" holds snapshots of another folder, ${last.root}; this one is ${source.root}`, {
    operation: 'backup',
    context: {
      server: last.server,
      next: `Give this folder a name of its own with “--server NAME”; or, if it is that server and has moved, say so with “--server ${last.server}”.`,
    },
  });
}
