import type { Entry } from '../../../main/contract/snapshot-calls.ts';
import { nameOf, parentOf } from './tree-model.ts';

export type ChangeKind = 'new' | 'changed' | 'gone';

/** An entry as the tree shows it; `gone` ones were in the snapshot before and are not in this one. */
export interface TreeEntry {
  readonly path: string;
  readonly type: Entry['type'];
  readonly size: number;
  /** ISO 8601; empty where it is not known. */
  readonly mtime: string;
  readonly gone?: boolean;
}

/** A folder whose entries are known. Closed folders below it cost nothing, open ones are held in order. */
export class Folder {
  readonly path: string;
  readonly depth: number;
  entries: readonly TreeEntry[];
  /** Found entries lie all over the place: each says in which folder. */
  readonly flat: boolean;
  /** Where it stands among the entries of the folder above it. */
  index: number;
  readonly above: Folder | null;
  /** Ordered by index. */
  readonly open: Folder[] = [];
  /** Of this folder and the open ones below it. */
  rows: number;

  constructor(path: string, entries: readonly TreeEntry[], place: { above: Folder; index: number } | null, flat = false) {
    this.path = path;
    this.entries = entries;
    this.flat = flat;
    this.above = place?.above ?? null;
    this.index = place?.index ?? 0;
    this.depth = this.above === null ? 0 : this.above.depth + 1;
    this.rows = entries.length;
  }
}

export interface Row {
  readonly folder: Folder;
  readonly index: number;
  readonly entry: TreeEntry;
  /** Open when it is a folder whose entries are shown. */
  readonly opened: Folder | undefined;
}

/** The rows that are seen of a tree. Any one of them is found by its number without a list of all. */
export class TreeRows {
  readonly top: Folder;

  constructor(top: Folder) {
    this.top = top;
  }

  get count(): number {
    return this.top.rows;
  }

  at(number: number): Row | undefined {
    return number < 0 || number >= this.count ? undefined : find(this.top, number);
  }

  /** The number of the row of an entry. */
  numberOf(folder: Folder, index: number): number {
    let number = index;
    for (const open of folder.open) if (open.index < index) number += open.rows;
    return folder.above === null ? number : number + 1 + this.numberOf(folder.above, folder.index);
  }

  /** The row of the same entry as the tree is now; undefined when it is not among the rows any more. */
  again({ folder, entry }: Pick<Row, 'folder' | 'entry'>): Row | undefined {
    return this.holds(folder) ? rowAt(folder, folder.entries.indexOf(entry)) : undefined;
  }

  open(row: Row, entries: readonly TreeEntry[]): Folder {
    const { folder, index, entry } = row;
    const opened = new Folder(entry.path, entries, { above: folder, index });
    const before = folder.open.findIndex((one) => one.index >= index);
    if (before < 0) folder.open.push(opened);
    else folder.open.splice(before, folder.open[before]?.index === index ? 1 : 0, opened);
    grow(folder, opened.rows);
    return opened;
  }

  close(folder: Folder): void {
    const { above } = folder;
    if (above === null) return;
    above.open.splice(above.open.indexOf(folder), 1);
    grow(above, -folder.rows);
  }

  /**
   * Other entries in the same folders, open where they were: what is gone from a snapshot is known later than what is in it, and whoever has begun
   * to look around stays where they are.
   */
  refill(entries: (path: string) => readonly TreeEntry[]): void {
    refill(this.top, entries);
  }

  /** Whether a folder is open still, and all those above it. */
  holds(folder: Folder): boolean {
    if (folder.above === null) return folder === this.top;
    return folder.above.open.includes(folder) && this.holds(folder.above);
  }

  /** The next row, behind the given one and round again, whose name begins so. */
  named(start: string, from: number): number | null {
    const wanted = start.toLowerCase();
    // Each look costs little, but a million of them would be felt.
    const looks = Math.min(this.count, 200_000);
    for (let step = 0; step < looks; step += 1) {
      const number = (from + step) % this.count;
      const row = this.at(number);
      if (row !== undefined && nameOf(row.entry.path).toLowerCase().startsWith(wanted)) return number;
    }
    return null;
  }
}

function find(folder: Folder, number: number): Row | undefined {
  let passed = 0;
  for (const open of folder.open) {
    if (number <= open.index + passed) break;
    const inside = number - passed - open.index - 1;
    if (inside < open.rows) return find(open, inside);
    passed += open.rows;
  }
  return rowAt(folder, number - passed);
}

export function rowAt(folder: Folder, index: number): Row | undefined {
  const entry = folder.entries[index];
  return entry === undefined ? undefined : { folder, index, entry, opened: folder.open.find((open) => open.index === index) };
}

function refill(folder: Folder, entries: (path: string) => readonly TreeEntry[]): void {
  folder.entries = entries(folder.path);
  folder.rows = folder.entries.length;
  for (const open of folder.open) {
    open.index = folder.entries.findIndex(({ path }) => path === open.path);
    refill(open, entries);
    folder.rows += open.rows;
  }
  folder.open.sort((one, other) => one.index - other.index);
}

function grow(folder: Folder, by: number): void {
  for (let at: Folder | null = folder; at !== null; at = at.above) at.rows += by;
}

/** What differs, by path; and the folders on the way to it, which are `changed` by that. */
export class Changes {
  readonly #kinds = new Map<string, ChangeKind>();
  readonly #gone = new Map<string, TreeEntry[]>();

  constructor(list: readonly { readonly path: string; readonly kind: ChangeKind; readonly size: number }[] = []) {
    for (const { path, kind, size } of list) {
      this.#kinds.set(path, kind);
      if (kind !== 'gone') continue;
      const folder = parentOf(path);
      const there = this.#gone.get(folder) ?? [];
      there.push({ path, type: 'file', size, mtime: '', gone: true });
      this.#gone.set(folder, there);
    }
    for (const { path } of list) {
      for (let at = parentOf(path); at !== '' && !this.#kinds.has(at); at = parentOf(at)) this.#kinds.set(at, 'changed');
    }
  }

  kind(path: string): ChangeKind | undefined {
    return this.#kinds.get(path);
  }

  /** A folder's entries with those that are gone from it, as they are shown. */
  shown(folder: string, entries: readonly Entry[]): readonly TreeEntry[] {
    return inOrder([...entries, ...(this.#gone.get(folder) ?? [])]);
  }
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
/** Beyond it, sorting as people do would be felt; the snapshot's own order has to do, which is sorted by bytes. */
const mostSorted = 5_000;

/** Folders first, then by name. */
function inOrder(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  const folders = entries.filter(({ type }) => type === 'directory');
  const others = entries.filter(({ type }) => type !== 'directory');
  for (const some of [folders, others]) {
    if (some.length <= mostSorted) some.sort((one, other) => collator.compare(nameOf(one.path), nameOf(other.path)));
  }
  return [...folders, ...others];
}
