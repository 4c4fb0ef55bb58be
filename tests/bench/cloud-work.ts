import { b2Backend } from '../../main/adapters/storage/backblaze-b2/b2-backend.ts';
import type { B2Keys } from '../../main/adapters/storage/backblaze-b2/settings.ts';
import { dropboxBackend } from '../../main/adapters/storage/dropbox/dropbox-backend.ts';
import { googleDriveBackend } from '../../main/adapters/storage/google-drive/google-drive-backend.ts';
import { s3Backend } from '../../main/adapters/storage/s3/s3-backend.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';

/** Where a transfer of the bench goes, as one process tells it the other. */
export type CloudWork =
  | { readonly provider: 's3'; readonly endpoint: string; readonly bucket: string }
  | { readonly provider: 'backblaze-b2'; readonly endpoint: string; readonly bucket: string; readonly keys: B2Keys }
  | { readonly provider: 'google-drive' | 'dropbox'; readonly endpoint: string; readonly token: string };

export function backendOf(work: CloudWork): Backend {
  const { endpoint } = work;
  switch (work.provider) {
    case 's3':
      return s3Backend({ bucket: work.bucket, endpoint }, { accessKeyId: 'test:tester', secretAccessKey: 'testing' });
    case 'backblaze-b2':
      return b2Backend({ bucket: work.bucket }, work.keys, { endpoint });
    case 'google-drive':
      return googleDriveBackend({ folder: 'bench' }, { token: () => Promise.resolve(work.token) }, { endpoint });
    case 'dropbox':
      return dropboxBackend({ folder: 'bench' }, { token: () => Promise.resolve(work.token) }, { endpoint });
  }
}
