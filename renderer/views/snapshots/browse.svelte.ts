import type { CallReply } from '../../../main/contract/calls.ts';
import type { WireFault } from '../../../main/contract/faults.ts';
import type { Entry } from '../../../main/contract/snapshot-calls.ts';
import { call, faultOf } from '../../client/call.ts';
import { Known } from './known.ts';
import { parentOf, Ticks } from './tree-model.ts';
import { Changes, Folder, rowAt, TreeRows, type Row } from './tree-rows.ts';

export interface Which {
  readonly slug: string;
  readonly destination: string;
  readonly snapshot: string;
}

const mostChanges = 50_000;
const mostFound = 1_000;
/** Each costs the service a look through the whole list of the snapshot. */
const mostOpenedAtOnce = 50;

/** A snapshot that is looked into: its tree, or a flat list of what was found or differs, and what of it is ticked. */
export class BrowseView {
  /** In an envelope that is another one after every tick. */
  picks = $state.raw({ ticks: new Ticks() });
  /** Another one after every change of what is open; a folder of 100,000 entries is the same in both. */
  rows = $state.raw(new TreeRows(new Folder('', [], null)));
  changes = $state.raw(new Changes());
  report = $state.raw<CallReply<'snapshot.changes'> | null>(null);
  /** Why nobody knows what differs; the tree is of use without its marks. */
  unmarked = $state.raw<WireFault | null>(null);
  loaded = $state(false);
  fault = $state.raw<WireFault | null>(null);
  /** More was found than is shown. */
  more = $state(false);
  readonly #which: Which;
  readonly #gone: AbortSignal;
  readonly #known = new Known();
  #tree: TreeRows;
  /** What is looked for, in place of the tree. */
  #search: { readonly text: string; readonly signal: AbortSignal } | null = null;

  constructor(which: Which, gone: AbortSignal) {
    this.#which = which;
    this.#gone = gone;
    this.#tree = this.rows;
  }

  /** Also once more after a fault: what is there stays, and what is looked for is looked for again. */
  async load(): Promise<void> {
    this.fault = null;
    // Until it is there nobody may say that it is empty.
    this.loaded = false;
    await Promise.all([this.#list(), this.compare()]);
    if (this.fault === null) this.#measureTicked();
  }

  async #list(): Promise<void> {
    const search = this.#search;
    if (!this.#known.folders.has('')) await this.#top();
    if (search !== null && search === this.#search && this.fault === null) await this.showFound(search.text, search.signal);
    this.loaded = true;
  }

  async #top(): Promise<void> {
    await this.#try(async () => {
      const entries = await this.#entries('');
      const shown = this.rows === this.#tree;
      this.#tree = new TreeRows(new Folder('', this.changes.shown('', entries), null));
      if (shown) this.rows = this.#tree;
    });
  }

  /** With the snapshot before. */
  async compare(): Promise<void> {
    this.unmarked = null;
    try {
      this.report = await call('snapshot.changes', { ...this.#which, limit: mostChanges }, this.#gone);
    } catch (error) {
      if (!this.#gone.aborted) this.unmarked = faultOf(error);
      return;
    }
    this.changes = new Changes(this.report.list);
    if (!this.#known.folders.has('')) return;
    this.#tree.refill((path) => this.changes.shown(path, this.#known.folders.get(path) ?? []));
    this.#touch(this.#tree);
  }

  showTree(): void {
    this.#search = null;
    this.rows = this.#tree;
    this.more = false;
  }

  showDiffering(): void {
    this.#search = null;
    const list = this.report?.list ?? [];
    const entries = list.map(({ path, kind, size }) => ({ path, type: 'file' as const, size, mtime: '', gone: kind === 'gone' }));
    this.rows = new TreeRows(new Folder('', entries, null, true));
    const { created = 0, changed = 0, gone = 0 } = this.report ?? {};
    this.more = created + changed + gone > list.length;
  }

  async showFound(text: string, signal: AbortSignal): Promise<void> {
    this.#search = { text, signal };
    await this.#try(async () => {
      const found = await call('snapshot.search', { ...this.#which, text: text.slice(0, 200), limit: mostFound }, signal);
      this.rows = new TreeRows(new Folder('', found.entries, null, true));
      this.more = found.more;
    }, signal);
  }

  async open(row: Row): Promise<void> {
    const { path, type } = row.entry;
    const { rows } = this;
    if (type !== 'directory' || row.opened !== undefined || this.#known.opening.has(path)) return;
    this.#known.opening.add(path);
    await this.#try(async () => {
      const entries = await this.#entries(path);
      // Meanwhile the folder around it may have been closed, or have got other entries.
      const now = rows.again(row);
      if (now !== undefined && now.opened === undefined) rows.open(now, this.changes.shown(path, entries));
    });
    this.#known.opening.delete(path);
    this.#touch(rows);
  }

  close(folder: Folder): void {
    this.rows.close(folder);
    this.#touch(this.rows);
  }

  async openSiblings({ folder }: Row): Promise<void> {
    const closed = folder.entries
      .flatMap((_, index) => rowAt(folder, index) ?? [])
      .filter(({ entry, opened }) => entry.type === 'directory' && opened === undefined)
      .slice(0, mostOpenedAtOnce);
    for (const row of closed) await this.open(row);
  }

  tick({ folder, entry }: Row): void {
    if (entry.gone === true) return;
    const { ticks } = this.picks;
    ticks.set(entry.path, ticks.state(entry.path) !== 'true');
    ticks.fold(parentOf(entry.path), (at) => this.#known.folders.get(at)?.length ?? null);
    // A folder that a search found does not say what it holds.
    if (entry.type !== 'directory' || !folder.flat) this.#known.bytes.set(entry.path, entry.size);
    this.picks = { ticks };
    this.#measureTicked();
  }

  clear(): void {
    this.picks = { ticks: new Ticks() };
  }

  /** Bytes of what is ticked; null while they are not known. */
  picked(): number | null {
    const { ticks } = this.picks;
    const sum = (paths: readonly string[]): number | null =>
      paths.reduce<number | null>((before, path) => {
        const bytes = this.#known.bytes.get(path) ?? null;
        return before === null || bytes === null ? null : before + bytes;
      }, 0);
    const ticked = sum(ticks.tops());
    const unticked = sum(ticks.exceptions());
    return ticked === null || unticked === null ? null : ticked - unticked;
  }

  #touch(rows: TreeRows): void {
    if (this.rows.top !== rows.top) return;
    const again = new TreeRows(rows.top);
    if (this.#tree.top === rows.top) this.#tree = again;
    this.rows = again;
  }

  #measureTicked(): void {
    const { ticks } = this.picks;
    for (const path of [...ticks.tops(), ...ticks.exceptions()]) if (!this.#known.bytes.has(path)) void this.#measure(path);
  }

  async #measure(path: string): Promise<void> {
    this.#known.bytes.set(path, null);
    await this.#try(async () => {
      const entries = await this.#entries(path);
      this.#known.bytes.set(
        path,
        entries.reduce((sum, { size }) => sum + size, 0),
      );
    });
    // What nobody could say is asked for again with the next tick, or by *Try again*.
    if (this.#known.bytes.get(path) === null) this.#known.bytes.delete(path);
    this.picks = { ticks: this.picks.ticks };
  }

  async #entries(path: string): Promise<readonly Entry[]> {
    const known = this.#known.folders.get(path);
    if (known !== undefined) return known;
    const entries = await call('snapshot.entries', { ...this.#which, path }, this.#gone);
    this.#known.folders.set(path, entries);
    return entries;
  }

  async #try(work: () => Promise<void>, signal = this.#gone): Promise<void> {
    try {
      await work();
      this.fault = null;
    } catch (error) {
      if (!signal.aborted) this.fault = faultOf(error);
    }
  }
}
