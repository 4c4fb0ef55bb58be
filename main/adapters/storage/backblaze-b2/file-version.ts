import { z } from 'zod';
import type { ObjectInfo } from '../../../engine/storage/backend.ts';
import { isKey } from '../../../engine/storage/object-key.ts';
import type { B2Place } from './settings.ts';

/** One version of a name. `action`: upload (a file), hide (a marker that there is none), start (a large file that is not finished). */
export const fileVersion = z.object({
  action: z.string(),
  fileId: z.string().nullable(),
  fileName: z.string(),
  contentLength: z.number().nullish(),
  contentSha1: z.string().nullish(),
  uploadTimestamp: z.number(),
});

export type FileVersion = z.infer<typeof fileVersion>;

/** Null for what is no file, or lies under a name that is no key. */
export function infoOf(place: B2Place, version: FileVersion): ObjectInfo | null {
  const key = keyIn(place, version.fileName);
  const { action, contentLength, uploadTimestamp, contentSha1 } = version;
  if (key === null || action !== 'upload' || typeof contentLength !== 'number') return null;
  // A large file has none of the whole, and `unverified:…` is only what the sender said.
  const hex = /^[0-9a-f]{40}$/.exec(contentSha1 ?? '')?.[0];
  return {
    key,
    size: contentLength,
    modifiedAt: uploadTimestamp,
    ...(hex === undefined ? {} : { checksum: { algorithm: 'sha1', hex } }),
  };
}

export function keyIn(place: B2Place, name: string): string | null {
  const key = name.startsWith(place.base) ? name.slice(place.base.length) : '';
  return isKey(key) ? key : null;
}

/** Percent-encoded UTF-8, `/` as it is (B2: "String encoding"): in addresses and in the header with a file's name. */
export function encodeName(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}
