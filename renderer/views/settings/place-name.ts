import type { DestinationSettings } from '../../../main/contract/destination-settings.ts';
import { freeSlug } from '../wizard/slugs.ts';
import type { Key } from '../../words/language.svelte.ts';

/** What is wrong with a name for a backup place; null when nothing is. */
export function nameProblem(name: string, taken: readonly string[]): Key | null {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return 'places.name.bad';
  return taken.includes(name) ? 'places.name.taken' : null;
}

/** A name that is free, from what the place is. */
export function suggestedName(settings: DestinationSettings, taken: readonly string[]): string {
  const from =
    settings.provider === 'folder'
      ? (settings.path.split(/[\\/]/).findLast((part) => part !== '') ?? '')
      : settings.provider === 's3' || settings.provider === 'backblaze-b2'
        ? settings.bucket
        : '';
  return freeSlug(from === '' ? settings.provider : from, (name) => taken.includes(name));
}
