import type { Provider } from '../../../main/contract/destination-settings.ts';
import type { ServerStatus } from '../../../main/contract/server-status.ts';
import { placeNamed } from '../../../main/contract/standing.ts';
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

/** The place whose account must be signed in again; where nothing names it, the first that has one. */
export function placeToSignIn(status: ServerStatus): string | undefined {
  return (
    placeNamed(status) ?? status.settings.destinations.find((name) => providerOf(name) === 'google-drive' || providerOf(name) === 'dropbox')
  );
}
