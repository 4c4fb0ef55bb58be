import type { Provider } from '../../../main/contract/destination-settings.ts';
import type { ServerStatus } from '../../../main/contract/server-status.ts';
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

/** The place whose account must be signed in again: what failed for it names it, at once or in its fault. */
export function placeToSignIn({ settings, last }: ServerStatus): string | undefined {
  const named = last?.destination ?? last?.fault?.context['destination'];
  return (
    settings.destinations.find((name) => name === named) ??
    settings.destinations.find((name) => providerOf(name) === 'google-drive' || providerOf(name) === 'dropbox')
  );
}
