import type { ManifestEntry } from '../../../main/engine/snapshots/manifest-entry.ts';
import type { SeenEntry } from '../compare-trees.ts';

const types = { file: 'file', directory: 'folder', symlink: 'link' } as const;

/** The tree that a manifest's entries are of, as somebody with lstat would describe it. `contentOf` says what a file's extents put together. */
export async function described(
  entries: readonly ManifestEntry[],
  contentOf: (entry: ManifestEntry) => Promise<string>,
): Promise<Map<string, SeenEntry>> {
  const tree = new Map<string, SeenEntry>();
  const names = new Map<string, string[]>();
  for (const entry of entries) {
    const { path, type, mode, mtime, size, target, linkOf } = entry;
    const first = linkOf ?? path;
    if (type === 'file') names.set(first, [...(names.get(first) ?? []), path]);
    const content = type === 'file' ? (linkOf === undefined ? await contentOf(entry) : (tree.get(linkOf)?.content ?? '')) : (target ?? '');
    const seen = { type: types[type], mode: mode.toString(8), owner: '', mtimeNs: mtime, content, names: '', holes: false };
    tree.set(path, { ...seen, size: type === 'file' ? String(size) : '' });
  }
  for (const group of names.values()) {
    if (group.length === 1) continue;
    for (const path of group) {
      const entry = tree.get(path);
      if (entry !== undefined) tree.set(path, { ...entry, names: group.toSorted().join(' = ') });
    }
  }
  return tree;
}
