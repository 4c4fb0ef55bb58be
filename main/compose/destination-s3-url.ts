import { isS3Preset, resolveS3Place, s3Presets, type S3Settings } from '../adapters/storage/s3/settings.ts';
import { Fault } from '../contract/faults.ts';
import { isKey } from '../engine/storage/object-key.ts';

const form = 's3:bucket/prefix?endpoint=https://…&region=…';

/** What stands behind `?`, and what each of them sets. */
const readers = {
  endpoint: (text) => ({ endpoint: readEndpoint(text) }),
  region: (text) => ({ region: matching('region', text, /^[A-Za-z0-9-]{1,64}$/) }),
  'path-style': (text) => ({ pathStyle: readYes('path-style', text) }),
  'storage-class': (text) => ({ storageClass: matching('storage-class', text, /^[A-Z0-9_-]{1,64}$/) }),
  sse: (text) => ({ sse: matching('sse', text, /^(AES256|aws:kms)$/) === 'AES256' ? 'AES256' : 'aws:kms' }),
  'sse-kms-key': (text) => ({ sseKmsKey: matching('sse-kms-key', text, /^[\w:/-]{1,2048}$/) }),
  checksums: (text) => ({ sendChecksums: readYes('checksums', text) }),
  preset: (text) => {
    if (isS3Preset(text)) return { preset: text };
    throw invalid(`There is no S3 preset ${text}; there are ${Object.keys(s3Presets).join(', ')}`);
  },
} as const satisfies Readonly<Record<string, (text: string) => Partial<S3Settings>>>;

/**
 * What follows `s3:`, as in `bucket/prefix?endpoint=https://host&region=eu-central-1`. Bucket and prefix are taken as they stand, the
 * values behind `?` may be URL-encoded. Keys never stand here: other users of the computer could see them. Throws fault config-invalid.
 */
export function parseS3Url(text: string): S3Settings {
  const [place = '', ...queries] = text.replace(/^\/\//, '').split('?');
  const [bucket = '', ...folders] = place.split('/');
  if (place.includes('@')) throw invalid('A destination holds no keys; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) throw invalid(`The destination s3: names no bucket; write ${form}`);
  const prefix = folders.join('/').replace(/\/+$/, '');
  if (prefix !== '' && (!isKey(prefix) || prefix.length > 400)) {
    throw invalid(`The prefix ${JSON.stringify(prefix)} cannot be used: printable ASCII, parts joined by one /, at most 400 characters`);
  }
  let settings: S3Settings = { bucket, ...(prefix === '' ? {} : { prefix }) };
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(queries.join('?').replaceAll('+', '%2B'))) {
    if (seen.has(name)) throw invalid(`The destination says ${name}= twice`);
    seen.add(name);
    if (!isReader(name)) throw invalid(`The destination s3: knows no ${name}=; it knows ${Object.keys(readers).join(', ')}`);
    settings = { ...settings, ...readers[name](value) };
  }
  if (settings.sseKmsKey !== undefined && settings.sse !== 'aws:kms') throw invalid('sse-kms-key= needs sse=aws:kms');
  // What a preset lacks is told before a password is asked for.
  resolveS3Place(settings);
  return settings;
}

/** Everything that is set, under the names of the address. */
export function s3SettingsAsText(settings: S3Settings): Readonly<Record<string, string>> {
  const pairs: readonly (readonly [string, string | boolean | undefined])[] = [
    ['bucket', settings.bucket],
    ['prefix', settings.prefix],
    ['preset', settings.preset],
    ['endpoint', settings.endpoint],
    ['region', settings.region],
    ['path-style', settings.pathStyle],
    ['storage-class', settings.storageClass],
    ['sse', settings.sse],
    ['sse-kms-key', settings.sseKmsKey],
    ['checksums', settings.sendChecksums],
  ];
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]));
}

/** Over plain http the names of objects and the account's activity can be read and replies forged by anyone on the way. */
export function isPlainBeyondLoopback({ endpoint }: S3Settings): boolean {
  if (endpoint === undefined) return false;
  const { protocol, hostname } = new URL(endpoint);
  return protocol === 'http:' && !/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

function isReader(name: string): name is keyof typeof readers {
  return Object.hasOwn(readers, name);
}

function readEndpoint(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol)) throw invalid(`${text} is no address of an S3 server; write endpoint=https://host`);
  if (url.username !== '' || url.password !== '')
    throw invalid('An endpoint holds no keys; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw invalid(`The endpoint ${text} has more than a host and a port; the bucket stands in front: ${form}`);
  }
  return url.origin;
}

function readYes(name: string, text: string): boolean {
  return matching(name, text, /^(true|false)$/) === 'true';
}

function matching(name: string, text: string, pattern: RegExp): string {
  if (pattern.test(text)) return text;
  throw invalid(`${name}=${text} cannot be used (${String(pattern)})`);
}

function invalid(message: string): Fault {
  return new Fault('config-invalid', message, { operation: 'read the destination' });
}
