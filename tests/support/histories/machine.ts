import { threadPacker } from '../../../main/adapters/compute/pack/packer.ts';
import { threadScan } from '../../../main/adapters/compute/scan/scanner.ts';
import type { Credentials } from '../../../main/engine/engine.ts';
import type { Clock } from '../../../main/engine/ports.ts';
import type { Backend } from '../../../main/engine/storage/backend.ts';
import { newStateDir, world, type World } from '../engine-on-memory.ts';
import type { Dice } from './steps.ts';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** By how much clocks are off: not at all; by what is still believed; by years, so that the provider's time is used. */
const offsets = [0, 0, 5 * minute, -5 * minute, 1100 * day, -1100 * day];

/** One of the computers that back up, with a clock that people set. */
export class Machine {
  readonly id: string;
  readonly #provider: Clock;
  readonly #stateDir = newStateDir();
  readonly #age: number;
  /** Its clock is ahead of the provider's. */
  offset = 0;

  /** To it all files are that much older than they are. */
  constructor(id: string, provider: Clock, age: number) {
    this.id = id;
    this.#provider = provider;
    this.#age = age;
  }

  setClock(dice: Dice): void {
    this.offset = offsets[dice(offsets.length)] ?? 0;
  }

  /** Where a clock was set back by years, everything in the folder is from the future. */
  get #threadsAhead(): number {
    return this.offset < -hour ? -hour : this.#age;
  }

  /** Files that were there before the run began are young to it, or from the future. */
  get believesStamps(): boolean {
    return this.#threadsAhead >= hour;
  }

  get seesFuture(): boolean {
    return this.#threadsAhead < 0;
  }

  /** Nothing is removed by a clock that is this wrong. */
  get mayPrune(): boolean {
    return Math.abs(this.offset) <= 10 * minute;
  }

  at(backend: Backend, credentials: Credentials): World {
    const clock: Clock = { now: () => this.#provider.now() + this.offset, sleep: () => Promise.resolve() };
    const clockOffset = this.#threadsAhead;
    const host = { packer: threadPacker({ clockOffset }), scan: threadScan({ clockOffset }) };
    return world({ backend, clock, host, credentials, machine: this.id, stateDir: this.#stateDir });
  }
}
