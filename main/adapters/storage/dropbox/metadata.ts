import { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, ObjectInfo } from '../../../engine/storage/backend.ts';
import { isKey } from '../../../engine/storage/object-key.ts';
import type { DropboxApi } from './api.ts';

export const fileSchema = z.object({
  '.tag': z.string().optional(),
  name: z.string(),
  path_display: z.string().optional(),
  size: z.number(),
  server_modified: z.string(),
  content_hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type DropboxFile = z.infer<typeof fileSchema>;

const anySchema = z.union([fileSchema.extend({ '.tag': z.literal('file') }), z.object({ '.tag': z.enum(['folder', 'deleted']) })]);

/** Dropbox takes no `\\` in names and cuts spaces and dots off their end; what it changes would be another key when it is listed. */
export function pathOf(api: DropboxApi, key: string): string {
  const names = key
    .split('/')
    .map((name) => name.replace(/[%\\]|[ .]$/g, (letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`));
  return `${api.place.base}/${names.join('/')}`;
}

/**
 * The key of a file by its `path_display`. The folders in front may be spelt in another case than ours, and then be of another length, so they are counted
 * and compared. Null for a name that is none of ours: no key, or not the one that the key found in it would be stored under. Fault unexpected for a file
 * outside our folder: to pass it over could make a full folder look empty.
 */
export function keyOf(api: DropboxApi, display: string): string | null {
  const { base } = api.place;
  const names = display.split('/');
  const depth = base.split('/').length;
  if (folded(names.slice(0, depth).join('/')) !== folded(base)) {
    throw new Fault('unexpected', `Dropbox lists ${JSON.stringify(display)}, which is not below ${base}`, { operation: 'list' });
  }
  const name = names.slice(depth).join('/');
  // Not decodeURIComponent: of what follows a `%` it takes more than pathOf ever writes, and refuses the rest with an error.
  const key = name.replace(/%[0-9a-f]{2}/g, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
  return isKey(key) && pathOf(api, key).slice(base.length + 1) === name ? key : null;
}

/** Equal for what Dropbox takes for one name. Upper case last: it also makes both small sigmas one, and ß of what was written ẞ. */
function folded(path: string): string {
  return path.normalize('NFC').toLowerCase().toUpperCase();
}

export function infoOf(key: string, file: DropboxFile): ObjectInfo {
  return {
    key,
    size: file.size,
    modifiedAt: Date.parse(file.server_modified),
    checksum: { algorithm: 'dropbox', hex: file.content_hash },
  };
}

/** A folder under that name is no object: fault not-found. */
export async function statObject(api: DropboxApi, key: string, operation: string, options?: CallOptions): Promise<ObjectInfo> {
  const about = { operation, what: key, signal: options?.signal };
  const found = await api.rpc('files/get_metadata', { path: pathOf(api, key) }, anySchema, about);
  if (found['.tag'] === 'file') return infoOf(key, found);
  throw new Fault('not-found', `${operation} of ${key} does not exist: there is a folder`, { operation, context: { key } });
}
