import { Fault } from '../../../contract/faults.ts';
import { chunkSize, objectHeadSize, sealedChunkSize, Unsealer } from '../../../engine/archive/seal.ts';
import type { FrameCutter } from './frame-cutter.ts';
import type { OpenerTask, ReadRun, UnpackMessage } from './messages.ts';

/** One run's chunks, each opened by itself, so that a damaged one costs no other. */
export class ChunkOpener {
  readonly #run: ReadRun;
  readonly #tolerant: boolean;
  readonly #cutter: FrameCutter;
  readonly #tell: (message: UnpackMessage) => void;
  readonly #unsealer: Unsealer;
  readonly #pending = Buffer.allocUnsafe(sealedChunkSize);
  #filled = 0;
  #chunk: number;
  #received = 0;

  constructor(run: ReadRun, task: OpenerTask, cutter: FrameCutter, tell: (message: UnpackMessage) => void) {
    const archive = task.archives[run.archive];
    if (archive === undefined) throw new Error(`there is no archive ${run.archive}`);
    this.#run = run;
    this.#tolerant = task.tolerant;
    this.#cutter = cutter;
    this.#tell = tell;
    this.#unsealer = new Unsealer(archive.keys, run.firstChunk);
    this.#chunk = run.firstChunk;
  }

  update(bytes: Uint8Array): void {
    this.#received += bytes.length;
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#filled === 0 && bytes.length - offset >= sealedChunkSize) {
        this.#open(bytes.subarray(offset, offset + sealedChunkSize));
        offset += sealedChunkSize;
        continue;
      }
      const take = Math.min(sealedChunkSize - this.#filled, bytes.length - offset);
      this.#pending.set(bytes.subarray(offset, offset + take), this.#filled);
      this.#filled += take;
      offset += take;
      if (this.#filled === sealedChunkSize) {
        this.#filled = 0;
        this.#open(this.#pending);
      }
    }
  }

  /** `start`: bytes of the run that came before those of the chunks. */
  end(start: number): void {
    if (this.#received + start < this.#run.length) {
      const at = this.#run.offset + start + this.#received;
      this.#damaged('truncated', `it ends after ${at} bytes, ${this.#run.length - this.#received - start} short`, [at, 0]);
      return;
    }
    try {
      if (!this.#run.reachesEnd) this.#unsealer.endOfRange();
      else {
        this.#unsealer.update(this.#pending.subarray(0, this.#filled), this.#cutter.add);
        this.#unsealer.end(this.#cutter.add);
      }
    } catch (error) {
      this.#failed(error, this.#filled);
    }
  }

  #open(sealed: Uint8Array): void {
    try {
      this.#unsealer.update(sealed, this.#cutter.add);
    } catch (error) {
      this.#unsealer.skipChunk();
      this.#failed(error, sealed.length);
    }
    this.#chunk += 1;
  }

  #failed(error: unknown, length: number): void {
    if (!(error instanceof Fault)) throw error;
    const kind = error.code === 'truncated' ? 'truncated' : 'corrupt';
    this.#damaged(kind, error.message, [objectHeadSize + this.#chunk * sealedChunkSize, length]);
    this.#cutter.skip(chunkSize);
  }

  #damaged(kind: 'corrupt' | 'truncated', message: string, range: readonly [number, number]): void {
    this.#tell({ kind: 'damage', damage: { archive: this.#run.archive, kind, message, range } });
    // A run that stops at the first damage is stopped by the main thread, once it has said what is lost.
    if (!this.#tolerant) this.#cutter.loseTheRest();
  }
}
