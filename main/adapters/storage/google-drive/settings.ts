import { Fault } from '../../../contract/faults.ts';

export interface GoogleDriveSettings {
  /** Names joined by `/`, below My Drive; the folders are made when something is first written. */
  readonly folder: string;
}

export interface GoogleDriveOptions {
  /** Takes the place of all hosts of Google: for tests, on loopback. */
  readonly endpoint?: string | undefined;
}

export interface DrivePlace {
  readonly folders: readonly string[];
  readonly root: string;
  readonly label: string;
}

export const setupPage = 'docs/setup/google-drive.md';

export function resolveDrivePlace({ folder }: GoogleDriveSettings, { endpoint }: GoogleDriveOptions): DrivePlace {
  // Drive compares names as they are, and macOS gives them decomposed: one folder name must not become two folders.
  const folders = folder
    .normalize('NFC')
    .split('/')
    .filter((name) => name !== '');
  if (folders.length === 0) {
    throw new Fault('config-invalid', `${JSON.stringify(folder)} cannot be a folder in Google Drive`, {
      operation: 'read the destination',
    });
  }
  return { folders, root: endpoint ?? 'https://www.googleapis.com', label: `folder ${folders.join('/')} in Google Drive` };
}
