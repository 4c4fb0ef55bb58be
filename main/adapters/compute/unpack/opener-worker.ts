import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { Fault } from '../../../contract/faults.ts';
import { chunkSize, objectHeadSize, sealedChunkSize, Unsealer } from '../../../engine/archive/seal.ts';
import { runWorker } from '../worker-entry.ts';
import { FrameCutter } from './frame-cutter.ts';
import type { OpenerTask, ReadRun, UnpackMessage } from './messages.ts';
import { Plan } from './plan.ts';
import { UnpackRing } from './unpack-ring.ts';

/** Takes stored bytes in order, hashes them, opens their chunks, and puts the frames that are wanted into slots. */
runWorker('unseal', (task: OpenerTask, send) => {
  const tell = send as (message: UnpackMessage) => void;
  const ring = new UnpackRing(task.ring);
  const cutter = new FrameCutter(ring, new Plan(task.plan), tell);
  let input = 0;

  function openRun(run: ReadRun): void {
    const archive = task.archives[run.archive];
    if (archive === undefined) throw new Error(`there is no archive ${run.archive}`);
    const hash = run.whole ? createHash('sha256') : null;
    const chunks = new ChunkOpener(run, task, cutter, tell);
    cutter.begin(run.firstFrame, run.frames, run.firstChunk * chunkSize);
    let head: Buffer | null = run.whole ? Buffer.alloc(0) : null;
    for (let last = false; !last; ) {
      ring.monitor.waitUntil(() => !ring.inputFree(input));
      const filled = ring.inputLength(input);
      let bytes = ring.input(input).subarray(0, filled.length);
      last = filled.last;
      hash?.update(bytes);
      if (head !== null) {
        const missing = objectHeadSize - head.length;
        head = Buffer.concat([head, bytes.subarray(0, missing)]);
        bytes = bytes.subarray(Math.min(missing, bytes.length));
        if (head.length === objectHeadSize) {
          if (!head.equals(archive.head)) {
            tell({
              kind: 'damage',
              damage: { archive: run.archive, kind: 'header', message: 'its first 148 bytes have been altered', range: [0, objectHeadSize] },
            });
          }
          head = null;
        }
      }
      chunks.update(bytes);
      ring.freeInput(input);
      input += 1;
    }
    chunks.end();
    cutter.end();
    if (hash !== null) tellHash(run, hash);
  }

  function tellHash(run: ReadRun, hash: Hash): void {
    tell({ kind: 'hashed', archive: run.archive, sha256: hash.digest('hex') });
  }

  for (const run of task.runs) openRun(run);
  ring.setTurns(cutter.turns);
});

/** One run's chunks, each opened by itself, so that a damaged one costs no other. */
class ChunkOpener {
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

  end(): void {
    const start = this.#run.whole ? objectHeadSize : 0;
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
