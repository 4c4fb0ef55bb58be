import { asFault, type Fault } from '../../../contract/faults.ts';
import type { PackedArchive, PackTarget, VolumeUpload } from '../../../engine/archive/packer.ts';
import type { PartRing } from '../frame-ring.ts';
import type { VolumeLinesOf } from './volume-lines.ts';

export interface TargetUploadOptions {
  readonly target: PackTarget;
  readonly parts: PartRing;
  readonly lines: VolumeLinesOf;
  readonly onSent: (bytes: number) => void;
  /** Told once, when this target has failed: from then on its parts are thrown away, so that its sealer holds nobody up. */
  readonly onFault: () => void;
}

/** Takes the parts of one sealer to its uploads, volume after volume. */
export class TargetUpload {
  readonly #options: TargetUploadOptions;
  readonly #archives: PackedArchive[] = [];
  /** What the messages ask for, one after the other; the parts of a volume go side by side. */
  #chain: Promise<void> = Promise.resolve();
  #upload: VolumeUpload | null = null;
  #sent: Promise<void>[] = [];
  #fault: Fault | null = null;

  constructor(options: TargetUploadOptions) {
    this.#options = options;
  }

  get fault(): Fault | null {
    return this.#fault;
  }

  begin(): void {
    this.#next(async () => {
      this.#upload = await this.#options.target.beginVolume();
    });
  }

  part(slot: number, length: number): void {
    const { parts, onSent } = this.#options;
    const free = (): void => parts.setBusy(slot, false);
    this.#chain = this.#chain.then(() => {
      if (this.#fault !== null || this.#upload === null) return free();
      const write = this.#upload.write(parts.part(slot).subarray(0, length));
      const sent = write.then(() => onSent(length)).catch((error: unknown) => this.#fail(error));
      this.#sent.push(sent.finally(free));
    });
  }

  /** The next volume waits: were two under way at once, both would be lost with the run. What is compressed meanwhile fills the parts. */
  end(archive: PackedArchive, isLast: boolean): void {
    this.#next(async () => {
      await Promise.all(this.#sent);
      this.#sent = [];
      if (this.#fault !== null) return;
      const lines = isLast ? Promise.resolve(null) : this.#options.lines.of(this.#archives.length);
      await this.#upload?.finish(archive, lines);
      this.#upload = null;
      this.#archives.push(archive);
    });
  }

  /** Settles when nothing is under way any more; `keep` false, or a fault, clears what is unfinished. */
  async settled(keep: boolean): Promise<readonly PackedArchive[] | Fault> {
    await this.#chain;
    await Promise.all(this.#sent);
    if (!keep || this.#fault !== null) await this.#clear();
    this.#upload = null;
    return this.#fault ?? this.#archives;
  }

  /** What cannot be cleared is no reason for the others to fail: the next run sweeps what uploads have left. */
  async #clear(): Promise<void> {
    try {
      await this.#upload?.abort();
    } catch (error) {
      this.#fail(error);
    }
  }

  #next(step: () => Promise<void>): void {
    this.#chain = this.#chain.then(async () => {
      if (this.#fault !== null) return;
      try {
        await step();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #fail(error: unknown): void {
    if (this.#fault !== null) return;
    this.#fault = asFault(error, 'upload');
    this.#options.onFault();
  }
}
