import { Fault } from '../../contract/faults.ts';
import type { OlderList, OlderListed, OlderLists } from '../archive/packer.ts';
import type { EngineHost } from '../host.ts';
import { largestClockOffsetMs } from '../storage/check-destination.ts';
import type { CallOptions } from '../storage/backend.ts';
import { entriesHash } from './base.ts';
import type { OlderRead, OlderSnapshots } from './older-snapshots.ts';
import { cannotServe } from './unfinished.ts';

/**
 * What the older snapshots of several places hold alike. One reading serves them all, and so it may find only what each of them has at the same place: what one
 * reading has written into all of them, as the entry lines of its manifests are the same bytes. Which snapshots are of one reading their times tell, which differ by what
 * it took to open one place after the other, and the lines then prove it.
 */
export class CommonOlder implements OlderLists {
  readonly lists: readonly OlderListed[];
  readonly #host: EngineHost;
  readonly #places: readonly OlderSnapshots[];
  /** Of each list, its number in each of the places. */
  readonly #numbers: readonly (readonly number[])[];

  constructor(host: EngineHost, places: readonly OlderSnapshots[]) {
    this.#host = host;
    this.#places = places;
    const matched = (places[0]?.lists ?? []).flatMap(({ time }) => {
      const numbers = places.map(({ lists }) => nearest(lists, time));
      return numbers.includes(null) ? [] : [{ time, numbers: numbers.filter((number) => number !== null) }];
    });
    this.#numbers = matched.map(({ numbers }) => numbers);
    // Each of them has to be read.
    const sizeOf = (numbers: readonly number[]): number =>
      numbers.reduce((sum, number, at) => sum + (places[at]?.lists[number]?.size ?? 0), 0);
    this.lists = matched.map(({ time, numbers }) => ({ time, size: sizeOf(numbers) }));
  }

  async fetch(index: number, options: CallOptions): Promise<OlderList | null> {
    const read: OlderRead[] = [];
    let answer: OlderList | null = null;
    try {
      for (const [at, place] of this.#places.entries()) {
        const one = await place.read(this.#numbers[index]?.[at] ?? -1, options);
        if (one === null) return null;
        read.push(one);
      }
      if (!(await this.#areAlike(read))) return null;
      // All of them or none: each place has to know an archive by the same number.
      for (const [at, one] of read.entries()) this.#places[at]?.take(one);
      answer = read[0] ?? null;
      return answer;
    } finally {
      for (const { manifest } of read) if (manifest !== answer?.manifest) await manifest.dispose();
    }
  }

  async #areAlike(read: readonly OlderRead[]): Promise<boolean> {
    const [first, ...others] = read;
    if (first === undefined || others.some(({ numbers }) => numbers.join() !== first.numbers.join())) return false;
    try {
      const hash = await entriesHash(this.#host, first.manifest);
      for (const { manifest } of others) if ((await entriesHash(this.#host, manifest)) !== hash) return false;
      return true;
    } catch (error) {
      if (!(error instanceof Fault) || !cannotServe.includes(error.code)) throw error;
      return false;
    }
  }
}

/** The number of the list whose time is the nearest; null where none is near. */
function nearest(lists: readonly OlderListed[], time: number): number | null {
  let best: number | null = null;
  let least = largestClockOffsetMs;
  for (const [number, list] of lists.entries()) {
    const apart = Math.abs(list.time - time);
    if (apart >= least) continue;
    best = number;
    least = apart;
  }
  return best;
}
