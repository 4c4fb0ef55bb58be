import type { MetadataField } from '../../contract/look-reports.ts';
import type { ManifestEntry } from './manifest-entry.ts';
import type { ManifestReader } from './manifest-store.ts';
import { inWalkOrder, merged } from './walk-order.ts';

/** One path, in two snapshots of a server. */
export type Difference =
  | { readonly change: 'added'; readonly before: null; readonly after: ManifestEntry }
  | { readonly change: 'removed'; readonly before: ManifestEntry; readonly after: null }
  | {
      readonly change: 'changed' | 'metadata';
      readonly before: ManifestEntry;
      readonly after: ManifestEntry;
      readonly fields: readonly MetadataField[];
    };

/**
 * What differs, in walk order. The two manifests are read side by side, so that memory holds one entry of each, however many files there
 * are. Both are closed at the end. Fault corrupt when one is not in the order that the format says.
 */
export async function* differences(before: ManifestReader | null, after: ManifestReader): AsyncGenerator<Difference> {
  for await (const [old, now] of merged(before === null ? nothing() : ordered(before), ordered(after))) {
    if (now === null && old !== null) yield { change: 'removed', before: old, after: null };
    else if (old === null && now !== null) yield { change: 'added', before: null, after: now };
    else if (old !== null && now !== null) {
      const fields = otherFields(old, now);
      if (!sameContent(old, now)) yield { change: 'changed', before: old, after: now, fields };
      else if (fields.length > 0) yield { change: 'metadata', before: old, after: now, fields };
    }
  }
}

export const ordered = (reader: ManifestReader): AsyncGenerator<ManifestEntry> =>
  inWalkOrder(reader.entries(), `the manifest of ${reader.header.slug}/${reader.header.id}`);

async function* nothing(): AsyncGenerator<ManifestEntry> {
  // The first snapshot: everything in it is new.
}

/**
 * By the hashes. A further name of a file has none of its own, and its first name may lie far away in the list: such a one counts as the
 * same while size and time are.
 */
function sameContent(old: ManifestEntry, now: ManifestEntry): boolean {
  if (old.type !== now.type) return false;
  if (now.type === 'symlink') return old.target === now.target;
  if (now.type === 'directory') return true;
  if (old.sha256 !== undefined && now.sha256 !== undefined) return old.sha256 === now.sha256;
  return old.size === now.size && old.mtime === now.mtime;
}

/** The time of a folder changes with every file that is made in it: told of the file, it need not be told of the folder. */
function otherFields(old: ManifestEntry, now: ManifestEntry): readonly MetadataField[] {
  const fields: MetadataField[] = [];
  if (old.mode !== now.mode) fields.push('mode');
  if (old.uid !== now.uid || old.gid !== now.gid) fields.push('owner');
  if (old.mtime !== now.mtime && now.type !== 'directory') fields.push('mtime');
  if (old.linkOf !== now.linkOf) fields.push('links');
  return fields;
}
