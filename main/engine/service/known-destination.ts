import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { NamedDestination, Settings } from '../../contract/settings.ts';

/** The destination of that name in the settings. Fault not-found. */
export function knownDestination({ destinations }: Pick<Settings, 'destinations'>, name: string): NamedDestination {
  const found = Object.hasOwn(destinations, name) ? destinations[name] : undefined;
  if (found !== undefined) return found;
  throw new Fault('not-found', `there is no backup place called ${name}`, {
    operation: 'find destination',
    context: { ...saying('place-unknown', { name }), next: '“holdfast destination list” shows those there are.' },
  });
}
