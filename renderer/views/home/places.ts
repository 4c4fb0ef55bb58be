import type { Provider } from '../../../main/contract/destination-settings.ts';
import { service } from '../../client/service.svelte.ts';

export const providerNames: Readonly<Record<Provider, string>> = {
  folder: 'NAS',
  s3: 'S3',
  'google-drive': 'Google',
  dropbox: 'Dropbox',
  'backblaze-b2': 'Backblaze B2',
};

/** The provider behind a backup place's name. */
export function providerOf(name: string): Provider | undefined {
  return service.destinations.find((row) => row.name === name)?.settings.provider;
}

/** The first of the places whose account must be signed in again can be told only by its provider. */
export function placeToSignIn(places: readonly string[]): string | undefined {
  return places.find((name) => providerOf(name) === 'google-drive' || providerOf(name) === 'dropbox');
}
