import type { DestinationSettings, Provider } from '../../../main/contract/destination-settings.ts';
import type { Key } from '../../words/language.svelte.ts';

type Preset = NonNullable<Extract<DestinationSettings, { provider: 's3' }>['preset']>;
/** `other`: a server without rules of its own. */
export type S3Kind = Preset | 'other';

/** In the order in which people meet them. */
export const s3Kinds = ['aws', 'minio', 'digitalocean', 'wasabi', 'r2', 'hetzner', 'b2-s3', 'other'] as const satisfies readonly S3Kind[];

export const s3Names: Readonly<Record<Preset, string>> = {
  aws: 'Amazon S3 (AWS)',
  minio: 'MinIO',
  digitalocean: 'DigitalOcean Spaces',
  wasabi: 'Wasabi',
  r2: 'Cloudflare R2',
  hetzner: 'Hetzner Object Storage',
  'b2-s3': 'Backblaze B2 (S3)',
};

export const s3Regions: Readonly<Record<S3Kind, string>> = {
  aws: 'eu-central-1',
  minio: 'us-east-1',
  digitalocean: 'fra1',
  wasabi: 'eu-central-1',
  r2: 'auto',
  hetzner: 'fsn1',
  'b2-s3': 'eu-central-003',
  other: 'us-east-1',
};

export const s3Endpoints: Readonly<Partial<Record<S3Kind, string>>> = {
  minio: 'https://minio.example.org:9000',
  r2: 'https://ACCOUNT.r2.cloudflarestorage.com',
  other: 's3.example.org',
};

export type FieldName =
  | 'endpoint'
  | 'bucket'
  | 'region'
  | 'prefix'
  | 'storageClass'
  | 'accessKeyId'
  | 'secretAccessKey'
  | 'driveFolder'
  | 'clientId'
  | 'clientSecret'
  | 'dropboxFolder'
  | 'appKey'
  | 'appSecret'
  | 'b2Bucket'
  | 'b2Prefix'
  | 'keyId'
  | 'applicationKey'
  | 'path';

const byProvider: Readonly<Record<Provider, readonly FieldName[]>> = {
  folder: ['path'],
  s3: ['endpoint', 'bucket', 'region', 'accessKeyId', 'secretAccessKey', 'prefix', 'storageClass'],
  'google-drive': ['driveFolder', 'clientId', 'clientSecret'],
  dropbox: ['dropboxFolder', 'appKey', 'appSecret'],
  'backblaze-b2': ['b2Bucket', 'keyId', 'applicationKey', 'b2Prefix'],
};

export function fieldsOf(provider: Provider): readonly FieldName[] {
  return byProvider[provider];
}

const secrets = {
  folder: [],
  s3: ['accessKeyId', 'secretAccessKey'],
  'google-drive': ['clientSecret'],
  dropbox: ['appSecret'],
  'backblaze-b2': ['keyId', 'applicationKey'],
} as const satisfies Readonly<Record<Provider, readonly FieldName[]>>;

/** Those that go to the keychain, by the names that the contract has for them as well. */
export function secretsOf(provider: Provider): readonly FieldName[] {
  return secrets[provider];
}

/** What a place that there is puts into the form; its secrets never come out. */
export function settingsAsFields(at: DestinationSettings): Partial<Record<FieldName, string>> {
  switch (at.provider) {
    case 'folder':
      return { path: at.path };
    case 's3': {
      const { bucket, endpoint = '', region = '', prefix = '', storageClass = '' } = at;
      return { bucket, endpoint, region, prefix, storageClass };
    }
    case 'google-drive':
      return { driveFolder: at.folder, clientId: at.clientId ?? '' };
    case 'dropbox':
      return { dropboxFolder: at.folder, appKey: at.appKey ?? '' };
    case 'backblaze-b2':
      return { b2Bucket: at.bucket, b2Prefix: at.prefix ?? '' };
  }
}

const inForm: Readonly<Record<Provider, readonly string[]>> = {
  folder: ['path'],
  s3: ['bucket', 'preset', 'endpoint', 'region', 'prefix', 'storageClass', 'pathStyle'],
  'google-drive': ['folder', 'clientId'],
  dropbox: ['folder', 'appKey'],
  'backblaze-b2': ['bucket', 'prefix'],
};

/** What the form does not show stays as it is: what the command line set, and what a later version added. */
export function settingsBeside(at: DestinationSettings): object {
  return Object.fromEntries(Object.entries(at).filter(([name]) => !inForm[at.provider].includes(name)));
}

/** The providers whose address is made of the region ask for it; those with an address of one's own do not. */
export function needsEndpoint(kind: S3Kind): boolean {
  return kind === 'minio' || kind === 'r2' || kind === 'other';
}

export function needsRegion(kind: S3Kind, endpoint: string): boolean {
  return endpoint === '' && (kind === 'aws' || kind === 'digitalocean' || kind === 'hetzner' || kind === 'b2-s3');
}

/** What is wrong with a field's text; null when nothing is. Only what cannot work is told: the rest is for the connection test. */
export function checkField(name: FieldName, text: string, kind: S3Kind, endpoint: string): Key | null {
  switch (name) {
    case 'endpoint':
      if (text === '') return needsEndpoint(kind) ? 'place.error.endpoint' : null;
      return URL.canParse(text.includes('://') ? text : `https://${text}`) ? null : 'place.error.address';
    case 'region':
      return text === '' && needsRegion(kind, endpoint) ? 'place.error.region' : null;
    case 'bucket':
    case 'b2Bucket':
      return /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,254}$/.test(text) ? null : 'place.error.bucket';
    case 'accessKeyId':
    case 'keyId':
      return text === '' ? 'place.error.keyId' : null;
    case 'secretAccessKey':
    case 'applicationKey':
      return text === '' ? 'place.error.secret' : null;
    case 'driveFolder':
    case 'dropboxFolder':
      return text.replaceAll('/', '') === '' ? 'place.error.folder' : null;
    case 'path':
      return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(text) ? null : 'place.error.path';
    case 'prefix':
    case 'b2Prefix':
    case 'storageClass':
    case 'clientId':
    case 'clientSecret':
    case 'appKey':
    case 'appSecret':
      return null;
  }
}
