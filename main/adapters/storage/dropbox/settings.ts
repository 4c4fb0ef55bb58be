import { Fault } from '../../../contract/faults.ts';

export interface DropboxSettings {
  /** Names joined by `/`, below the folder of the app or, for an app with full access, the root of the account. */
  readonly folder: string;
}

export interface DropboxOptions {
  /** Takes the place of all hosts of Dropbox: for tests, on loopback. */
  readonly endpoint?: string | undefined;
}

export interface DropboxPlace {
  /** Begins with `/`, ends without; in NFC. */
  readonly base: string;
  readonly api: string;
  readonly content: string;
  readonly label: string;
}

export const setupPage = 'docs/setup/dropbox.md';

export function resolveDropboxPlace({ folder }: DropboxSettings, { endpoint }: DropboxOptions): DropboxPlace {
  // Dropbox keeps and tells names in NFC, whatever they were sent in; macOS gives them decomposed.
  const names = folder
    .normalize('NFC')
    .split('/')
    .filter((name) => name !== '');
  if (names.length === 0 || names.some((name) => name === '.' || name === '..')) {
    throw new Fault('config-invalid', `${JSON.stringify(folder)} cannot be a folder at Dropbox`, { operation: 'read the destination' });
  }
  return {
    base: `/${names.join('/')}`,
    api: endpoint ?? 'https://api.dropboxapi.com',
    content: endpoint ?? 'https://content.dropboxapi.com',
    label: `folder ${names.join('/')} at Dropbox`,
  };
}
