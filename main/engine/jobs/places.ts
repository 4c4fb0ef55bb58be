import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';

/** A destination inside the folder would swallow itself with every run; a folder inside the destination would mix with its objects. */
export function keepApart(folder: string, destination: string | undefined): void {
  if (destination === undefined) return;
  const args = { folder, place: destination };
  if (isInside(destination, folder)) {
    throw new Fault('config-invalid', `the backup place ${destination} lies inside the folder ${folder}`, {
      operation: 'check places',
      context: saying('place-in-folder', args),
    });
  }
  if (isInside(folder, destination)) {
    throw new Fault('config-invalid', `the folder ${folder} lies inside the backup place ${destination}`, {
      operation: 'check places',
      context: saying('folder-in-place', args),
    });
  }
}

function isInside(inner: string, outer: string): boolean {
  const base = outer.endsWith('/') ? outer : `${outer}/`;
  return inner === outer || inner.startsWith(base);
}
