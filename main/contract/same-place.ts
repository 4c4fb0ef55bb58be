import type { DestinationSettings } from './destination-settings.ts';

/**
 * Whether two settings mean the same store: what the one has put there, the other finds. What is kept of a place (keys, a storage class, how it is
 * addressed) may differ. Where nobody can tell, as with another address of a server, they are two.
 */
export function isSamePlace(one: DestinationSettings, other: DestinationSettings): boolean {
  return JSON.stringify(whereIs(one)) === JSON.stringify(whereIs(other));
}

/** The client that a token was given to; no other can use it. Empty: the one that Holdfast brings, or a provider without sign-in. */
export function clientOf(settings: DestinationSettings): string {
  if (settings.provider === 'google-drive') return settings.clientId ?? '';
  return settings.provider === 'dropbox' ? (settings.appKey ?? '') : '';
}

function whereIs(at: DestinationSettings): readonly (string | undefined)[] {
  switch (at.provider) {
    case 'folder':
      return [at.provider, at.path.replace(/(.)[\\/]+$/, '$1')];
    case 's3': {
      const { bucket, prefix = '', preset, endpoint = '', region } = at;
      const address = endpoint.replace(/\/+$/, '').toLowerCase();
      // A bucket of AWS is found by its name alone; elsewhere the region may be a part of the address.
      const isAws = address === '' && (preset ?? 'aws') === 'aws';
      return [at.provider, bucket, bare(prefix), ...(isAws ? ['aws'] : [address, address === '' ? preset : '', region])];
    }
    case 'backblaze-b2':
      return [at.provider, at.bucket, bare(at.prefix ?? '')];
    case 'google-drive':
    case 'dropbox':
      return [at.provider, bare(at.folder)];
  }
}

function bare(folder: string): string {
  return folder.replace(/^\/+|\/+$/g, '');
}
