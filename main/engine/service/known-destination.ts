import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { NamedDestination, Settings } from '../../contract/settings.ts';

/** The destination of that name, if the settings have one. A name may be any word, also one that every object answers to, such as `constructor`. */
export function destinationCalled({ destinations }: Pick<Settings, 'destinations'>, name: string): NamedDestination | undefined {
  return Object.hasOwn(destinations, name) ? destinations[name] : undefined;
}

/** The same. Fault not-found where there is none. */
export function knownDestination(settings: Pick<Settings, 'destinations'>, name: string): NamedDestination {
  const found = destinationCalled(settings, name);
  if (found !== undefined) return found;
  throw new Fault('not-found', `there is no backup place called ${name}`, {
    operation: 'find destination',
    context: { ...saying('place-unknown', { name }), next: '“holdfast destination list” shows those there are.' },
  });
}
