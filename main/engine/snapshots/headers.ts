import { Fault } from '../../contract/faults.ts';
import type { CallOptions } from '../storage/backend.ts';
import { findObject, type Catalog, type ListedObject, type ListedSnapshot } from './catalog.ts';
import { readManifestHeader } from './manifest-store.ts';
import type { ManifestHeader } from './manifest.ts';

/** Fewer than a backend has permits (stack.ts): who waits for a short read need not wait for all of these. */
const headersAtOnce = 4;

/** A snapshot's first line, or why it cannot be had. */
export async function readHeader(catalog: Catalog, snapshot: ListedSnapshot, options: CallOptions): Promise<ManifestHeader | Fault | null> {
  const manifest = findObject(snapshot, 'manifest');
  if (manifest === null) return null;
  const read = catalog.headers.get(manifest.key) ?? catalog.known?.get(manifest);
  if (read !== undefined) return read;
  const header = await tryHeader(catalog, manifest, options);
  catalog.headers.set(manifest.key, header);
  if (!(header instanceof Fault)) catalog.known?.put(manifest, header);
  return header;
}

/** The first lines of all of them, a few at a time: one after the other, a thousand would wait for a thousand replies. The first that cannot be reached ends it. */
export async function readHeaders(catalog: Catalog, snapshots: readonly ListedSnapshot[], options: CallOptions): Promise<void> {
  const left = snapshots.values();
  const failed: unknown[] = [];
  const some = async (): Promise<void> => {
    try {
      for (const snapshot of left) {
        if (failed.length > 0) return;
        await readHeader(catalog, snapshot, options);
      }
    } catch (error) {
      failed.push(error);
    }
  };
  await Promise.all(Array.from({ length: headersAtOnce }, some));
  if (failed.length > 0) throw failed[0];
}

async function tryHeader(catalog: Catalog, manifest: ListedObject, options: CallOptions): Promise<ManifestHeader | Fault> {
  try {
    const header = await readManifestHeader(catalog.zstd, catalog.backend, catalog.vault, manifest, options);
    catalog.onHeader(header);
    return { ...header, archives: header.archives.map((archive) => once(catalog.archives, archive)) };
  } catch (error) {
    if (error instanceof Fault && ['corrupt', 'truncated', 'wrong-password', 'wrong-key', 'not-found'].includes(error.code)) return error;
    throw error;
  }
}

function once(known: Catalog['archives'], archive: ManifestHeader['archives'][number]): ManifestHeader['archives'][number] {
  const same = known.get(archive.key);
  if (same?.size === archive.size && same.sha256 === archive.sha256 && same.head === archive.head) return same;
  known.set(archive.key, archive);
  return archive;
}

/** Of one backup place. */
export interface KnownHeaders {
  /** Undefined also where the object is not the one that was read. */
  get(manifest: ListedObject): ManifestHeader | undefined;
  put(manifest: ListedObject, header: ManifestHeader): void;
  readonly archives: Catalog['archives'];
}

/** So many of one place, the ones that were looked at last, of about 1 kB each. */
const mostKnown = 4096;

/**
 * First lines that stay in memory: a list that is looked at again reads only what is new. A manifest is never written twice under one name, so that one of the
 * same size and time is the same. Only for calls that show: what decides (backup, prune, verify, restore) reads what is there now.
 */
export function headersOfPlace(): KnownHeaders {
  const read = new Map<string, { readonly size: number; readonly modifiedAt: number; readonly header: ManifestHeader }>();
  const archives: Catalog['archives'] = new Map();
  return {
    archives,
    get({ key, size, modifiedAt }) {
      const found = read.get(key);
      if (found === undefined || found.size !== size || found.modifiedAt !== modifiedAt) return undefined;
      read.delete(key);
      read.set(key, found);
      return found.header;
    },
    put({ key, size, modifiedAt }, header) {
      read.delete(key);
      read.set(key, { size, modifiedAt, header });
      const [oldest] = read.keys();
      if (read.size <= mostKnown || oldest === undefined) return;
      read.delete(oldest);
      // Its archives with it, and those that others name come back with the next that is read.
      archives.clear();
    },
  };
}
