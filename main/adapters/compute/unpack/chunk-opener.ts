import { Fault } from '../../../contract/faults.ts';
import { Blocks } from '../../../engine/archive/blocks.ts';
import { chunkSize, objectHeadSize, openChunk, sealedChunkSize } from '../../../engine/archive/seal.ts';
import type { MessageKeys } from '../../../engine/archive/seal.ts';
import type { FrameCutter } from './frame-cutter.ts';
import type { OpenerTask, ReadRun, UnpackMessage } from './messages.ts';

/** One run's chunks, each opened by itself, so that a damaged one costs no other. */
export class ChunkOpener {
  readonly #run: ReadRun;
  readonly #tolerant: boolean;
  readonly #cutter: FrameCutter;
  readonly #tell: (message: UnpackMessage) => void;
  readonly #keys: MessageKeys;
  readonly #blocks = new Blocks(sealedChunkSize);
  #chunk: number;
  #received = 0;

  constructor(run: ReadRun, task: OpenerTask, cutter: FrameCutter, tell: (message: UnpackMessage) => void) {
    const archive = task.archives[run.archive];
    if (archive === undefined) throw new Error(`there is no archive ${run.archive}`);
    this.#run = run;
    this.#tolerant = task.tolerant;
    this.#cutter = cutter;
    this.#tell = tell;
    this.#keys = archive.keys;
    this.#chunk = run.firstChunk;
  }

  update(bytes: Uint8Array): void {
    this.#received += bytes.length;
    this.#blocks.add(bytes, (sealed) => this.#open(sealed));
  }

  /** `start`: bytes of the run that came before those of the chunks. */
  end(start: number): void {
    if (this.#received + start < this.#run.length) {
      const at = this.#run.offset + start + this.#received;
      this.#cutter.loseTheRest();
      this.#damaged('truncated', `it ends after ${at} bytes, ${this.#run.length - this.#received - start} short`, [at, 0]);
      return;
    }
    // A run that does not reach the object's end is whole chunks, by how it was laid out.
    if (this.#run.reachesEnd) this.#open(this.#blocks.rest);
  }

  #open(sealed: Uint8Array): void {
    let plain: Uint8Array | null = null;
    try {
      plain = openChunk(this.#keys, this.#chunk, sealed);
    } catch (error) {
      this.#failed(error, sealed.length);
    }
    this.#chunk += 1;
    if (plain !== null) this.#cutter.add(plain);
  }

  #failed(error: unknown, length: number): void {
    if (!(error instanceof Fault)) throw error;
    const kind = error.code === 'truncated' ? 'truncated' : 'corrupt';
    this.#cutter.skip(chunkSize);
    this.#damaged(kind, error.message, [objectHeadSize + this.#chunk * sealedChunkSize, length]);
  }

  #damaged(kind: 'corrupt' | 'truncated', message: string, range: readonly [number, number]): void {
    this.#tell({ kind: 'damage', damage: { archive: this.#run.archive, kind, message, range } });
    if (this.#tolerant) return;
    // The first damage ends it, once it has been said what is lost by it.
    this.#cutter.loseCurrent();
    throw new Fault('corrupt', message, { operation: 'unseal' });
  }
}
