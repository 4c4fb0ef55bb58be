import type { DestinationSettings } from '../../../main/contract/destination-settings.ts';
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
      ? (settings.path.split(/[\\/]/).findLast((part) => part !== '') ?? 'folder')
      : settings.provider === 's3' || settings.provider === 'backblaze-b2'
        ? settings.bucket
        : settings.provider;
  const plain =
    from
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 50) || 'place';
  for (let number = 1; ; number++) {
    const name = number === 1 ? plain : `${plain}-${number}`;
    if (!taken.includes(name)) return name;
  }
}
