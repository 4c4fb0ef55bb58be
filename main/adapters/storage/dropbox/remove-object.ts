import { z } from 'zod';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions } from '../../../engine/storage/backend.ts';
import type { DropboxApi } from './api.ts';
import { pathOf, statObject } from './metadata.ts';

/** Looked at first: to delete a folder is to delete all that is in it, and an object is never one. */
export async function removeObject(api: DropboxApi, key: string, options?: CallOptions): Promise<void> {
  try {
    await statObject(api, key, 'remove', options);
    await api.rpc('files/delete_v2', { path: pathOf(api, key) }, z.object({}), { operation: 'remove', what: key, signal: options?.signal });
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'not-found') throw error;
  }
}
