import { Fault } from '../../../contract/faults.ts';

/** Where objects go, without secrets. What is left out comes from the preset, then from the defaults for any other S3 server. */
export interface S3Settings {
  readonly bucket: string;
  /** Keys lie below `<prefix>/`; empty: at the top of the bucket. */
  readonly prefix?: string | undefined;
  /** `https://host[:port]`; plain http is taken as it is, whoever asks for it has been warned. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** The bucket in the path (`host/bucket/key`) instead of in the host name. */
  readonly pathStyle?: boolean | undefined;
  readonly storageClass?: string | undefined;
  readonly sse?: 'AES256' | 'aws:kms' | undefined;
  /** Which key SSE-KMS takes; absent: the account's own. */
  readonly sseKmsKey?: string | undefined;
  readonly preset?: S3Preset | undefined;
  /** CRC-32 of each part as a header, which servers older than it refuse. Default: on AWS only. */
  readonly sendChecksums?: boolean | undefined;
}

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** `chain`: environment, profile, single sign-on, container or machine role, as the AWS tools look for them. */
export type S3Credentials = S3Keys | 'chain';

interface PresetRow {
  /** `{region}` is replaced; null: AWS's own rules; undefined: must be given. */
  readonly endpoint?: string | null;
  readonly region?: string;
  /** What requests are signed for where it is not the region. */
  readonly signedRegion?: string;
  readonly pathStyle: boolean;
  readonly sendChecksums: boolean;
}

/** By each provider's own documentation of its S3 interface. */
export const s3Presets = {
  aws: { endpoint: null, pathStyle: false, sendChecksums: true },
  minio: { region: 'us-east-1', pathStyle: true, sendChecksums: false },
  digitalocean: {
    endpoint: 'https://{region}.digitaloceanspaces.com',
    signedRegion: 'us-east-1',
    pathStyle: false,
    sendChecksums: false,
  },
  wasabi: { endpoint: 'https://s3.{region}.wasabisys.com', region: 'us-east-1', pathStyle: false, sendChecksums: false },
  // The account's id is in the endpoint; R2 also wants all parts but the last of one size, which ours are.
  r2: { region: 'auto', pathStyle: true, sendChecksums: false },
  hetzner: { endpoint: 'https://{region}.your-objectstorage.com', pathStyle: false, sendChecksums: false },
  'b2-s3': { endpoint: 'https://s3.{region}.backblazeb2.com', pathStyle: true, sendChecksums: false },
} as const satisfies Readonly<Record<string, PresetRow>>;

export type S3Preset = keyof typeof s3Presets;

export function isS3Preset(name: string): name is S3Preset {
  return Object.hasOwn(s3Presets, name);
}

const anyServer: PresetRow = { region: 'us-east-1', pathStyle: true, sendChecksums: false };

/** Settings with nothing left open. */
export interface S3Place {
  readonly bucket: string;
  /** Empty or ending in `/`. */
  readonly base: string;
  /** Undefined: AWS's own. */
  readonly endpoint: string | undefined;
  /** Undefined: from AWS_REGION or the profile. */
  readonly region: string | undefined;
  readonly pathStyle: boolean;
  readonly sendChecksums: boolean;
  /** For people: the bucket and where it is. */
  readonly label: string;
  /** Merged into each request that makes an object. */
  readonly objectOptions: {
    readonly StorageClass?: 'STANDARD';
    readonly ServerSideEncryption?: 'AES256' | 'aws:kms';
    readonly SSEKMSKeyId?: string;
  };
}

/** Throws fault config-invalid where something that is needed is missing or cannot be. */
export function resolveS3Place(settings: S3Settings): S3Place {
  const row: PresetRow = settings.preset === undefined ? defaultRow(settings) : s3Presets[settings.preset];
  const region = settings.region ?? row.region;
  const endpoint = settings.endpoint ?? endpointOf(row, region, settings.preset ?? 's3');
  const base = settings.prefix === undefined || settings.prefix === '' ? '' : `${settings.prefix}/`;
  return {
    bucket: settings.bucket,
    base,
    endpoint,
    region: settings.endpoint === undefined ? (row.signedRegion ?? region) : (settings.region ?? row.signedRegion ?? region),
    pathStyle: settings.pathStyle ?? row.pathStyle,
    sendChecksums: settings.sendChecksums ?? row.sendChecksums,
    label: `bucket ${settings.bucket} at ${endpoint === undefined ? 'AWS' : new URL(endpoint).host}`,
    objectOptions: {
      // The SDK's list of classes is AWS's; other servers have their own.
      ...(settings.storageClass === undefined ? {} : { StorageClass: settings.storageClass as 'STANDARD' }),
      ...(settings.sse === undefined ? {} : { ServerSideEncryption: settings.sse }),
      ...(settings.sseKmsKey === undefined ? {} : { SSEKMSKeyId: settings.sseKmsKey }),
    },
  };
}

function defaultRow({ endpoint }: S3Settings): PresetRow {
  if (endpoint === undefined) return s3Presets.aws;
  return /\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname) ? { pathStyle: false, sendChecksums: true } : anyServer;
}

function endpointOf(row: PresetRow, region: string | undefined, name: string): string | undefined {
  if (row.endpoint === null) return undefined;
  if (row.endpoint === undefined) throw invalid(`The S3 preset ${name} needs endpoint=https://…, the address of your server or account`);
  if (region === undefined) throw invalid(`The S3 preset ${name} needs region=…, where your bucket lies`);
  return row.endpoint.replace('{region}', region);
}

function invalid(message: string): Fault {
  return new Fault('config-invalid', message, { operation: 'read the destination' });
}
