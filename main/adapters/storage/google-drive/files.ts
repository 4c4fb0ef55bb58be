import type { drive_v3 } from '@googleapis/drive';
import { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import type { ObjectInfo } from '../../../engine/storage/backend.ts';
import type { About, DriveApi } from './api.ts';
import { notDrive } from './errors.ts';

export const folderType = 'application/vnd.google-apps.folder';
/** Nothing is told that is not asked for by name. */
export const fileFields = 'id,name,mimeType,parents,size,modifiedTime,createdTime,sha256Checksum';

/** On each file, seen by this app alone: finds what it has made also where somebody has moved or renamed it (`appProperties has {…}`). */
export const ownMark = { holdfast: '1' } as const;

const fileSchema = z.object({
  id: z.string(),
  name: z.string(),
  mimeType: z.string(),
  parents: z.array(z.string()).optional(),
  size: z.string().regex(/^\d+$/).optional(),
  modifiedTime: z.string(),
  createdTime: z.string(),
  sha256Checksum: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type DriveFile = z.infer<typeof fileSchema>;

export function readFileOf(value: unknown, about: About): DriveFile {
  const file = fileSchema.safeParse(value);
  if (file.success) return file.data;
  throw notDrive(about.operation, about.what);
}

export function infoOf(key: string, file: DriveFile): ObjectInfo {
  return {
    key,
    size: Number(file.size ?? 0),
    modifiedAt: Date.parse(file.modifiedTime),
    ...(file.sha256Checksum === undefined ? {} : { checksum: { algorithm: 'sha256', hex: file.sha256Checksum } }),
  };
}

/** Everything that `query` finds, page after page: complete or a fault. */
export async function* search(api: DriveApi, query: string, about: About): AsyncGenerator<DriveFile, void, undefined> {
  let pageToken: string | undefined;
  do {
    const params: drive_v3.Params$Resource$Files$List = {
      q: `${query} and trashed = false`,
      pageSize: 1000,
      fields: `nextPageToken,incompleteSearch,files(${fileFields})`,
      spaces: 'drive',
      ...(pageToken === undefined ? {} : { pageToken }),
    };
    const page = await api.call(about, (drive, options) => drive.files.list(params, options));
    if (!Array.isArray(page.files)) throw notDrive(about.operation, about.what);
    if (page.incompleteSearch === true) {
      throw new Fault('unavailable', `${about.operation} of ${about.what} found only a part`, { operation: about.operation });
    }
    for (const file of page.files) yield readFileOf(file, about);
    pageToken = page.nextPageToken ?? undefined;
  } while (pageToken !== undefined);
}

/** A text as it stands between quotes in a query. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

export function inAny(folders: readonly string[]): string {
  return `(${folders.map((id) => `${quoted(id)} in parents`).join(' or ')})`;
}

/** Newest first; ids settle what was made in the same millisecond. */
export function newestFirst(a: DriveFile, b: DriveFile): number {
  return Date.parse(b.modifiedTime) - Date.parse(a.modifiedTime) || (a.id < b.id ? -1 : 1);
}
