import { Column } from './column.ts';
import { compareFrames, writeStretch, type Stretch } from './plan-builder.ts';
import { extentRecordSize, RecordWriter } from './plan-records.ts';
import { wordsPerFrame, type PlanFrame } from './plan.ts';

/** Bytes of a file whose frames are read together, and so what may have to be held of it until what stands before has come. */
export const contentWindow = 32 * 2 ** 20;

/** Whether a file's stretches come by themselves in the file's order when frames are read in the order in which they are stored. */
export function isStoredInOrder(stretches: readonly Stretch[]): boolean {
  return stretches.every(({ frame }, index) => {
    const before = stretches[index - 1]?.frame;
    return before === undefined || compareFrames(before, frame) <= 0;
  });
}

/**
 * The frames of files whose stretches lie to and fro in their archives, in such an order that each file can be hashed from front to back as they
 * come. They go window by window of the content; within one they are sorted by place, so that a file in pieces of two archives costs two reads a window
 * and not two a piece. A frame that lies in several windows comes once for each.
 */
export class ContentOrder {
  readonly #extents: RecordWriter;
  readonly #frameWords = new Column('word');
  readonly #framePlaces = new Column('double');
  #frames = 0;
  #extentCount = 0;

  constructor(handle: number) {
    this.#extents = new RecordWriter(handle);
  }

  /** `stretches`: all of one file, in the file's order. */
  add(stretches: readonly Stretch[]): void {
    let window: Stretch[] = [];
    let end = 0;
    for (const stretch of stretches) {
      const { inFile, length } = stretch.extent;
      if (window.length > 0 && inFile + length > end) {
        this.#close(window);
        window = [];
      }
      if (window.length === 0) end = inFile + contentWindow;
      window.push(stretch);
    }
    this.#close(window);
  }

  build(): { readonly frames: number; readonly frameWords: SharedArrayBuffer; readonly framePlaces: SharedArrayBuffer } {
    this.#extents.flush();
    for (let word = 0; word < wordsPerFrame; word += 1) this.#frameWords.push(word === 1 ? this.#extentCount : 0);
    return { frames: this.#frames, frameWords: this.#frameWords.shared, framePlaces: this.#framePlaces.shared };
  }

  #close(window: readonly Stretch[]): void {
    let last: PlanFrame | null = null;
    for (const stretch of window.toSorted((a, b) => compareFrames(a.frame, b.frame))) {
      const { frame } = stretch;
      if (last === null || compareFrames(last, frame) !== 0) {
        for (const word of [frame.archive, this.#extentCount]) this.#frameWords.push(word);
        for (const place of [frame.offset, frame.stored]) this.#framePlaces.push(place);
        this.#frames += 1;
      }
      last = frame;
      writeStretch(this.#extents.room(extentRecordSize), stretch);
      this.#extentCount += 1;
    }
  }
}
