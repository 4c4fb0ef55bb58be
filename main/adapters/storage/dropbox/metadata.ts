import { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, ObjectInfo } from '../../../engine/storage/backend.ts';
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

/** The folders in front may be spelt in another case than they were written, but are as long. Null for a name that is none of ours. */
export function keyOf(api: DropboxApi, display: string): string | null {
  try {
    return decodeURIComponent(display.slice(api.place.base.length + 1));
  } catch {
    return null;
  }
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
