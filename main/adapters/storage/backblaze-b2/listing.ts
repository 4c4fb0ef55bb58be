import { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, ObjectInfo, OpenUpload } from '../../../engine/storage/backend.ts';
import type { B2Api } from './api.ts';
import { notB2 } from './errors.ts';
import { fileVersion, infoOf, keyIn, type FileVersion } from './file-version.ts';
import { tokenOf } from './tokens.ts';

// `null` ends a listing. A reply that lacks the field is none.
const namesPage = z.object({ files: z.array(fileVersion), nextFileName: z.string().nullable() });
const versionsPage = z.object({ files: z.array(fileVersion), nextFileName: z.string().nullable(), nextFileId: z.string().nullable() });
const openPage = z.object({
  files: z.array(z.object({ fileId: z.string(), fileName: z.string(), uploadTimestamp: z.number() })),
  nextFileId: z.string().nullable(),
});

/** Every file below the prefix, page by page; hidden ones and what others put there under names that are no keys are left out. */
export async function* listObjects(api: B2Api, prefix: string, options?: CallOptions): AsyncGenerator<ObjectInfo, void, undefined> {
  const { place } = api;
  const about = { operation: 'list', what: prefix === '' ? place.label : prefix, signal: options?.signal };
  let startFileName: string | null = null;
  do {
    // What a thousand names cost is one transaction.
    const fields = {
      bucketId: true,
      prefix: place.base + prefix,
      maxFileCount: 1000,
      ...(startFileName === null ? {} : { startFileName }),
    };
    const page: z.infer<typeof namesPage> = await api.call(
      { name: 'b2_list_file_names', reply: namesPage, needs: 'listFiles', fields },
      about,
    );
    for (const version of page.files) {
      const info = infoOf(place, version);
      if (info !== null) yield info;
    }
    if (page.nextFileName !== null && page.nextFileName === startFileName) throw notB2('list', about.what);
    startFileName = page.nextFileName;
  } while (startFileName !== null);
}

/** Fault not-found when there is no file of this name, or it is hidden. */
export async function statObject(api: B2Api, key: string, operation: string, options?: CallOptions): Promise<ObjectInfo> {
  const name = api.place.base + key;
  const fields = { bucketId: true, prefix: name, startFileName: name, maxFileCount: 1 };
  const page = await api.call(
    { name: 'b2_list_file_names', reply: namesPage, needs: 'listFiles', fields },
    { operation, what: key, signal: options?.signal },
  );
  const version = page.files.find(({ fileName }) => fileName === name);
  const info = version === undefined ? null : infoOf(api.place, version);
  if (info !== null) return info;
  throw new Fault('not-found', `${operation} of ${key} does not exist`, { operation, context: { key } });
}

/** All versions of exactly this name, newest first, from the version `from` on when that is given. */
export async function* versionsOf(
  api: B2Api,
  key: string,
  operation: string,
  options?: CallOptions & { readonly from?: string },
): AsyncGenerator<FileVersion & { readonly fileId: string }, void, undefined> {
  const name = api.place.base + key;
  let start: { readonly startFileName: string; readonly startFileId?: string } = {
    startFileName: name,
    ...(options?.from === undefined ? {} : { startFileId: options.from }),
  };
  for (;;) {
    const fields = { bucketId: true, prefix: name, maxFileCount: 100, ...start };
    const page: z.infer<typeof versionsPage> = await api.call(
      { name: 'b2_list_file_versions', reply: versionsPage, needs: 'listFiles', fields },
      { operation, what: key, signal: options?.signal },
    );
    for (const version of page.files) {
      if (version.fileName !== name) return;
      if (version.fileId !== null) yield { ...version, fileId: version.fileId };
    }
    if (page.nextFileName !== name || page.nextFileId === null) return;
    if (page.nextFileId === start.startFileId) throw notB2(operation, key);
    start = { startFileName: name, startFileId: page.nextFileId };
  }
}

/** Large files that are neither finished nor cancelled, page by page. */
export async function* listUploads(api: B2Api, prefix: string, options?: CallOptions): AsyncGenerator<OpenUpload, void, undefined> {
  const { place } = api;
  const about = { operation: 'openUploads', what: prefix === '' ? place.label : prefix, signal: options?.signal };
  let startFileId: string | null = null;
  do {
    const fields = { bucketId: true, namePrefix: place.base + prefix, maxFileCount: 100, ...(startFileId === null ? {} : { startFileId }) };
    const page: z.infer<typeof openPage> = await api.call(
      { name: 'b2_list_unfinished_large_files', reply: openPage, needs: 'listFiles', fields },
      about,
    );
    for (const { fileId, fileName, uploadTimestamp } of page.files) {
      const key = keyIn(place, fileName);
      if (key !== null) yield { token: tokenOf(key, fileId), startedAt: uploadTimestamp };
    }
    if (page.nextFileId !== null && page.nextFileId === startFileId) throw notB2('openUploads', about.what);
    startFileId = page.nextFileId;
  } while (startFileId !== null);
}
