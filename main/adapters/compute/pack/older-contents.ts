import { maxFrameContent } from '../../../engine/archive/seek-table.ts';
import type { OlderListed } from '../../../engine/archive/packer.ts';
import type { Extent, ManifestEntry } from '../../../engine/snapshots/manifest-entry.ts';
import type { Monitor } from '../monitor.ts';
import { knownContent, manifestEntries } from './base-entries.ts';
import type { KnownContent } from './known-content.ts';
import type { OlderTask } from './messages.ts';
import { clearOlderAnswer, noArchive, readOlderAnswer, type OlderAnswer } from './older-answer.ts';

/** A list costs so many bytes at least: however short it is, it takes a request. */
const leastCost = 64 * 1024;
/** So much may be spent whatever there is to send, so that small folders always profit. */
const free = 512 * 1024;
/** And of what has to be sent this part. */
const share = 1 / 8;

/** What an older list says, read by the reader itself. */
export interface OlderListContents {
  contents(smallest: number): Iterable<KnownContent>;
}

/**
 * What older snapshots hold, list by list, for the reader: it asks the main thread for each and is blocked until it is there. First comes the list of the first snapshot
 * that was made after the file was last written: what a restore or a move has brought back with its times is in that, if in any. Else they come in their order.
 * Bytes of lists are spent as a part of those that would be sent otherwise; one that comes in its order, after so many from which nothing was taken, counts so many
 * times more, since most of what has just been written is nowhere.
 */
export class OlderContents {
  readonly #task: OlderTask;
  readonly #monitor: Monitor;
  readonly #ask: (index: number) => void;
  /** Numbers of lists that have not been asked for, in their order, and those of all by the time of their snapshots. */
  readonly #left: Set<number>;
  readonly #byTime: readonly number[];
  #sent = 0;
  #spent = 0;
  #inVain = 0;

  constructor(task: OlderTask, monitor: Monitor, ask: (index: number) => void) {
    this.#task = task;
    this.#monitor = monitor;
    this.#ask = ask;
    this.#left = new Set(task.lists.keys());
    this.#byTime = [...this.#left].sort((a, b) => this.#listed(a).time - this.#listed(b).time);
  }

  /** There is no further list. */
  get isOver(): boolean {
    return this.#left.size === 0;
  }

  /** So many bytes go out that were looked for. */
  sent(bytes: number): void {
    this.#sent += bytes;
  }

  /** Something was taken from a list. */
  found(): void {
    this.#inVain = 0;
  }

  /**
   * The next list for a file that was last written at `mtime`, in milliseconds since 1970; null where it is not worth its cost, `atStake` being the bytes that go out
   * if nothing is found. Fault cancelled once the run has been stopped.
   */
  next(atStake: number, mtime: number): OlderListContents | null {
    for (;;) {
      const aimed = this.#firstAfter(mtime);
      const [index = aimed] = aimed === null ? this.#left : [aimed];
      if (index === null) return null;
      const cost = Math.max(leastCost, this.#listed(index).size) * (aimed === null ? 1 + this.#inVain : 1);
      if (this.#spent + cost > free + share * (this.#sent + atStake)) return null;
      this.#spent += cost;
      if (aimed === null) this.#inVain += 1;
      const answer = this.#answer(index);
      this.#left.delete(index);
      if (answer.kind === 'over') this.#left.clear();
      if (answer.kind === 'list') return { contents: (smallest) => contentsOf(answer, smallest) };
    }
  }

  /** Null where it has been asked for already, or where there is none. */
  #firstAfter(mtime: number): number | null {
    let [from, to] = [0, this.#byTime.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#listed(this.#byTime[middle]).time < mtime) from = middle + 1;
      else to = middle;
    }
    const index = this.#byTime[from];
    return index !== undefined && this.#left.has(index) ? index : null;
  }

  #listed(index = 0): OlderListed {
    return this.#task.lists[index] ?? { size: 0, time: 0 };
  }

  #answer(index: number): OlderAnswer {
    const { answer: memory } = this.#task;
    let answer: OlderAnswer | null = null;
    clearOlderAnswer(memory);
    this.#ask(index);
    this.#monitor.waitUntil(() => (answer = readOlderAnswer(memory)) !== null);
    return answer ?? { kind: 'over' };
  }
}

/** Of a stretch as an older list has it, in the run's numbers. */
export const mayStay = ([archive, , , inFrame, length]: Extent): boolean => archive !== noArchive && inFrame + length <= maxFrameContent;

function* contentsOf({ handle, size, numbers }: Extract<OlderAnswer, { kind: 'list' }>, smallest: number): Generator<KnownContent> {
  for (const entry of manifestEntries({ handle, size, name: 'older manifest' }, smallest)) {
    const known = knownContent(renumbered(entry, numbers), mayStay);
    if (known !== null) yield known;
  }
}

function renumbered(entry: ManifestEntry, numbers: readonly (number | null)[]): ManifestEntry {
  return { ...entry, extents: entry.extents.map(([archive, ...rest]) => [numbers[archive] ?? noArchive, ...rest] as const) };
}
