import { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, ObjectInfo } from '../../../engine/storage/backend.ts';
import type { DropboxApi } from './api.ts';
import { fileSchema, infoOf, keyOf, pathOf } from './metadata.ts';

const pageSchema = z.object({
  entries: z.array(
    z.union([
      fileSchema.extend({ '.tag': z.literal('file'), path_display: z.string() }),
      z.object({ '.tag': z.enum(['folder', 'deleted']) }),
    ]),
  ),
  cursor: z.string(),
  has_more: z.boolean(),
});

/** Dropbox: at most 2000; about so many come. */
const pageSize = 2000;

/** Every file below the folder that the prefix lies in whose key begins with it. */
export async function* listObjects(api: DropboxApi, prefix: string, options?: CallOptions): AsyncGenerator<ObjectInfo, void, undefined> {
  const about = { operation: 'list', what: prefix === '' ? api.place.label : prefix, signal: options?.signal };
  const { base } = api.place;
  const folder = prefix.includes('/') ? pathOf(api, prefix.slice(0, prefix.lastIndexOf('/'))) : base;
  let page: z.infer<typeof pageSchema>;
  try {
    page = await api.rpc('files/list_folder', { path: folder, recursive: true, limit: pageSize }, pageSchema, about);
  } catch (error) {
    // No such folder yet: nothing has been stored there.
    if (error instanceof Fault && error.code === 'not-found') return;
    throw error;
  }
  for (;;) {
    for (const entry of page.entries) {
      if (entry['.tag'] !== 'file') continue;
      const key = keyOf(api, entry.path_display);
      if (key?.startsWith(prefix) === true) yield infoOf(key, entry);
    }
    if (!page.has_more) return;
    page = await api.rpc('files/list_folder/continue', { cursor: page.cursor }, pageSchema, about);
  }
}
