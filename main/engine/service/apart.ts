import type { DestinationSettings } from '../../contract/destination-settings.ts';
import type { Settings } from '../../contract/settings.ts';
import { keepApart } from '../jobs/places.ts';

/** The folder behind all links, also where it does not exist yet. */
export type RealPlace = (path: string) => Promise<string>;

/** Refuses a folder and a backup place of which one lies in the other, whichever links lead there: no backup could ever be made. */
export async function checkApart(realPlace: RealPlace, folders: readonly string[], places: readonly DestinationSettings[]): Promise<void> {
  const real = await Promise.all(folders.map(realPlace));
  for (const place of places) {
    if (place.provider !== 'folder') continue;
    const there = await realPlace(place.path);
    for (const folder of real) keepApart(folder, there);
  }
}

/** The folders of the servers that go to the place of that name. */
export function foldersTo({ servers }: Pick<Settings, 'servers'>, name: string): readonly string[] {
  return servers.filter(({ destinations }) => destinations.includes(name)).map(({ folder }) => folder);
}
