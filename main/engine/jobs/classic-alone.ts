import { Fault } from '../../contract/faults.ts';
import { slugify } from '../../contract/slug.ts';
import { findObject, listServers, type ListedSnapshot } from '../snapshots/catalog.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';

/**
 * A classic file needs no vault, and keeps the password that it was written with when the vault's is changed. So where the vault does not open, a
 * snapshot that is named by its id may open all the same. Rejects with `refused` unless there is such a one.
 */
export async function classicAlone(
  refused: unknown,
  backend: Backend,
  { snapshot: wanted, server }: { readonly snapshot: string; readonly server?: string },
  options: CallOptions,
): Promise<ListedSnapshot> {
  if (!(refused instanceof Fault) || refused.code !== 'wrong-password' || wanted === 'latest' || wanted === 'all') throw refused;
  const all = await listServers(backend, options);
  // A display name cannot be read without the vault.
  const near = server === undefined ? all : all.filter(({ slug }) => slug === server || slug === slugify(server));
  const [only, other] = near.flatMap(({ snapshots }) => snapshots).filter(({ id }) => id.startsWith(wanted));
  if (only === undefined || other !== undefined || findObject(only, 'manifest') !== null || findObject(only, 'classic') === null)
    throw refused;
  return only;
}

/** What to do where a classic file does not open. */
export const classicNext =
  'A classic file keeps the password that it was written with, whatever the backup place’s is now: give that one, and the snapshot’s id.';
