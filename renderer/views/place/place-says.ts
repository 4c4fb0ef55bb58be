import type { DestinationSettings } from '../../../main/contract/destination-settings.ts';
import { t } from '../../words/language.svelte.ts';
import { s3Names } from './place-fields.ts';

/** Which bucket or folder a backup place is, in the person's language. */
export function whereOf(settings: DestinationSettings): string {
  switch (settings.provider) {
    case 'folder':
      return settings.path;
    case 's3': {
      const { bucket, endpoint = '', preset = 'aws' } = settings;
      const at = endpoint === '' ? s3Names[preset] : URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;
      return t('place.where.bucketAt', { bucket, at });
    }
    case 'backblaze-b2':
      return t('place.where.bucket', { bucket: settings.bucket });
    case 'google-drive':
    case 'dropbox':
      return t('place.where.folder', { folder: settings.folder });
  }
}

/** With whose it is before it. */
export function placeSays(settings: DestinationSettings): string {
  return `${t(`place.provider.${settings.provider}`)}, ${whereOf(settings)}`;
}
