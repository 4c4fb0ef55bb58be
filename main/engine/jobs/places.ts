import { Fault } from '../../contract/faults.ts';

/** A destination inside the folder would swallow itself with every run; a folder inside the destination would mix with its objects. */
export function keepApart(folder: string, destination: string | undefined): void {
  if (destination === undefined) return;
  const context = { folder, destination };
  if (isInside(destination, folder)) {
    throw new Fault('config-invalid', `the destination ${destination} lies inside the folder ${folder}`, {
      operation: 'check places',
      context,
    });
  }
  if (isInside(folder, destination)) {
    throw new Fault('config-invalid', `the folder ${folder} lies inside the destination ${destination}`, {
      operation: 'check places',
      context,
    });
  }
}

function isInside(inner: string, outer: string): boolean {
  const base = outer.endsWith('/') ? outer : `${outer}/`;
  return inner === outer || inner.startsWith(base);
}
