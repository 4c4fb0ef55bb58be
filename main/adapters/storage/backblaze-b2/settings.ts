import { Fault } from '../../../contract/faults.ts';

/** Where objects go, without secrets. */
export interface B2Settings {
  readonly bucket: string;
  /** Keys lie below `<prefix>/`; empty: at the top of the bucket. */
  readonly prefix?: string | undefined;
}

export interface B2Keys {
  readonly keyId: string;
  readonly applicationKey: string;
}

export interface B2Options {
  /** Replaces Backblaze's own address; a loopback address, for tests. */
  readonly endpoint?: string;
}

/** Settings with nothing left open. */
export interface B2Place {
  readonly bucket: string;
  /** Empty or ending in `/`. */
  readonly base: string;
  readonly endpoint: string;
  /** For people. */
  readonly label: string;
}

const backblaze = 'https://api.backblazeb2.com';

/** The page that leads through everything a person may have to put right in the account. */
export const setupPage = 'docs/setup/backblaze-b2.md';

/** Throws fault config-invalid for what cannot be the name of a bucket (B2: "Buckets": 6 to 63 letters, digits and hyphens). */
export function resolveB2Place(settings: B2Settings, options: B2Options = {}): B2Place {
  const { bucket, prefix = '' } = settings;
  if (!/^[A-Za-z0-9-]{6,63}$/.test(bucket)) {
    throw new Fault('config-invalid', `${JSON.stringify(bucket)} cannot be a bucket of Backblaze B2: 6 to 63 letters, digits and hyphens`, {
      operation: 'read the destination',
      context: { bucket, next: `Use the name of the bucket as Backblaze shows it; ${setupPage} shows where.` },
    });
  }
  return {
    bucket,
    base: prefix === '' ? '' : `${prefix}/`,
    endpoint: (options.endpoint ?? backblaze).replace(/\/+$/, ''),
    label: `bucket ${bucket} at Backblaze B2`,
  };
}
