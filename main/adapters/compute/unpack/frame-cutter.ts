import type { UnpackMessage } from './messages.ts';
import type { Plan } from './plan.ts';
import type { UnpackRing } from './unpack-ring.ts';

/** Cuts the zstd stream of a run into the frames that are wanted, and says of those that were not whole that they are lost. */
export class FrameCutter {
  readonly #ring: UnpackRing;
  readonly #plan: Plan;
  readonly #tell: (message: UnpackMessage) => void;
  #turn = 0;
  #frame = 0;
  #endFrame = 0;
  /** Offset in the zstd stream. */
  #position = 0;
  #filled = 0;
  #slot: Buffer | null = null;
  #broken = false;

  constructor(ring: UnpackRing, plan: Plan, tell: (message: UnpackMessage) => void) {
    this.#ring = ring;
    this.#plan = plan;
    this.#tell = tell;
  }

  /** How many slots have been filled. */
  get turns(): number {
    return this.#turn;
  }

  begin(firstFrame: number, frames: number, position: number): void {
    this.#frame = firstFrame;
    this.#endFrame = firstFrame + frames;
    this.#position = position;
    this.#restart();
  }

  readonly add = (plain: Uint8Array): void => {
    let offset = 0;
    while (offset < plain.length && this.#frame < this.#endFrame) {
      const frame = this.#plan.frame(this.#frame);
      const before = frame.offset + this.#filled - this.#position;
      if (before > 0) {
        const pass = Math.min(before, plain.length - offset);
        offset += pass;
        this.#position += pass;
        continue;
      }
      const take = Math.min(frame.stored - this.#filled, plain.length - offset);
      if (!this.#broken) {
        this.#slot ??= this.#claim();
        this.#slot.set(plain.subarray(offset, offset + take), this.#filled);
      }
      this.#filled += take;
      this.#position += take;
      offset += take;
      if (this.#filled === frame.stored) this.#finish();
    }
    this.#position += plain.length - offset;
  };

  /** So many bytes of the stream could not be opened: the frames that they belong to are lost. */
  skip(bytes: number): void {
    const end = this.#position + bytes;
    while (this.#frame < this.#endFrame) {
      const frame = this.#plan.frame(this.#frame);
      if (frame.offset >= end) break;
      this.#broken = true;
      const frameEnd = frame.offset + frame.stored;
      if (frameEnd > end) {
        this.#filled = end - frame.offset;
        break;
      }
      this.#finish();
    }
    this.#position = end;
  }

  /** The frame that is under way, when a part of it was skipped, is lost now and not at its end. */
  loseCurrent(): void {
    if (this.#broken && this.#frame < this.#endFrame) this.#finish();
  }

  loseTheRest(): void {
    while (this.#frame < this.#endFrame) {
      this.#broken = true;
      this.#finish();
    }
  }

  /** The run is over: frames that did not come are lost. */
  end(): void {
    this.loseTheRest();
  }

  #claim(): Buffer {
    const slot = this.#turn % this.#ring.slots;
    this.#ring.monitor.waitUntil(() => this.#ring.slotFree(slot));
    return this.#ring.stored(slot);
  }

  #finish(): void {
    if (this.#broken) this.#tell({ kind: 'lost-frame', frame: this.#frame });
    else {
      this.#slot ??= this.#claim();
      this.#ring.fill(this.#turn, this.#frame, this.#filled);
      this.#turn += 1;
    }
    this.#frame += 1;
    this.#restart();
  }

  #restart(): void {
    this.#filled = 0;
    this.#slot = null;
    this.#broken = false;
  }
}
