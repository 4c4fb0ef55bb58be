import { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions } from '../../../engine/storage/backend.ts';
import type { B2Api } from './api.ts';
import type { FileVersion } from './file-version.ts';
import { versionsOf } from './listing.ts';
import { setupPage } from './settings.ts';

type Stored = FileVersion & { readonly fileId: string };

/**
 * Every version of the name, hide markers too: B2 keeps, and bills, all that is not deleted one by one. The oldest goes first, so that none
 * comes to light again.
 */
export async function removeAll(api: B2Api, key: string, options?: CallOptions): Promise<void> {
  const found: Stored[] = [];
  for await (const version of versionsOf(api, key, 'remove', options)) if (isStored(version)) found.push(version);
  for (const version of found.reverse()) await removeVersion(api, key, version, options);
}

/** Missing: success. Without the right to delete: fault permission-denied that says what that means for old snapshots. */
export async function removeVersion(
  api: B2Api,
  key: string,
  { fileId, fileName }: { readonly fileId: string; readonly fileName: string },
  options?: CallOptions,
): Promise<void> {
  if (!(await mayDelete(api, options))) throw noRight(key);
  const fields = { fileId, fileName };
  try {
    await api.call(
      { name: 'b2_delete_file_version', reply: z.object({ fileId: z.string() }), needs: 'deleteFiles', fields },
      { operation: 'remove', what: key, signal: options?.signal },
    );
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return;
    throw error;
  }
}

/**
 * After the version `fileId` of a name was stored: removes older ones, which nothing reads any more. With `mustBeNew` an older file means that somebody
 * else was first: ours is taken away again, and the outcome is fault already-exists. A key that may not delete leaves all of them.
 */
export async function settleVersions(api: B2Api, key: string, fileId: string, mustBeNew: boolean, options?: CallOptions): Promise<void> {
  const { capabilities } = await api.session(options?.signal);
  if (!capabilities.includes('deleteFiles') || !capabilities.includes('listFiles')) return;
  const older: Stored[] = [];
  for await (const version of versionsOf(api, key, 'complete', { ...options, from: fileId })) {
    if (version.fileId !== fileId && isStored(version)) older.push(version);
  }
  if (mustBeNew && older[0]?.action === 'upload') {
    await removeVersion(api, key, { fileId, fileName: api.place.base + key }, options);
    throw new Fault('already-exists', `${key} exists already`, { operation: 'complete', context: { key } });
  }
  for (const version of older.reverse()) {
    try {
      await removeVersion(api, key, version, options);
    } catch (error) {
      // Object Lock keeps it; what was to be stored is stored.
      if (!(error instanceof Fault && error.code === 'permission-denied')) throw error;
    }
  }
}

/** What counts as an object or hides one; a large file that is being sent is somebody's upload. */
function isStored({ action }: FileVersion): boolean {
  return action === 'upload' || action === 'hide';
}

async function mayDelete(api: B2Api, options: CallOptions | undefined): Promise<boolean> {
  return (await api.session(options?.signal)).capabilities.includes('deleteFiles');
}

function noRight(key: string): Fault {
  return new Fault('permission-denied', `${key} was not removed: this application key may not delete (it has not the right deleteFiles)`, {
    operation: 'remove',
    context: {
      key,
      capability: 'deleteFiles',
      next: `If that is meant as a protection, run prune where a key with deleteFiles is at hand, and now and then only; else give this backup place such a key (${setupPage}).`,
    },
  });
}
