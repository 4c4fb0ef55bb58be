import type { ArchiveRef } from '../../../engine/archive/packer.ts';
import { entryLineEnd, type Extent } from '../../../engine/snapshots/manifest-entry.ts';
import { ArchiveNumbers } from './archive-numbers.ts';
import type { FrameNote } from './frame-notes.ts';
import { LineSpool } from './line-spool.ts';
import type { LineSpools } from './messages.ts';
import { thisRun, type Stretch } from './stretches.ts';

export interface PlacedFrame {
  /** Which volume of this run. */
  readonly archive: number;
  readonly offset: number;
  readonly stored: number;
}

export interface WrittenLines {
  readonly offset: number;
  readonly size: number;
  readonly order: readonly ArchiveRef[];
}

/**
 * Completes the lines of entries once their frames have a place: all of them for the manifest, and for what is written down of a volume those that lie, at least in
 * part, in an archive that no complete snapshot names. Each list counts the archives that it uses by itself.
 */
export class EntryLines {
  readonly #manifest: LineSpool;
  readonly #volumes: LineSpool;
  readonly #numbers = new ArchiveNumbers();
  readonly #settled: number;
  #volumeNumbers = new ArchiveNumbers();
  #volumeStart = 0;
  /** Of an entry that goes on in the next note. */
  #texts: Uint8Array[] = [];
  #stretches: Stretch[] = [];

  constructor(spools: LineSpools, settled: number) {
    this.#manifest = new LineSpool(spools.manifest);
    this.#volumes = new LineSpool(spools.volumes);
    this.#settled = settled;
  }

  /** A volume of this run is begun: the manifest names it whether or not a line does. */
  beginVolume(volume: number): void {
    this.#numbers.ofRun(volume);
  }

  add(note: FrameNote, frames: readonly PlacedFrame[]): void {
    for (const stretch of note.stretches) this.#stretches.push(stretch);
    this.#texts.push(note.more ? Buffer.from(note.text) : note.text);
    if (note.more) return;
    const append = (spool: LineSpool, numbers: ArchiveNumbers): void =>
      spool.append(this.#texts, entryLineEnd(this.#stretches.map((stretch) => placed(stretch, frames, numbers))));
    if (!note.begun) append(this.#manifest, this.#numbers);
    if (this.#stretches.some(([archive]) => archive >= this.#settled)) append(this.#volumes, this.#volumeNumbers);
    this.#texts = [];
    this.#stretches = [];
  }

  /** What has been added since the volume before. */
  endVolume(volume: number): WrittenLines {
    this.#volumeNumbers.ofRun(volume);
    const { order } = this.#volumeNumbers;
    const offset = this.#volumeStart;
    this.#volumeStart = this.#volumes.end();
    this.#volumeNumbers = new ArchiveNumbers();
    return { offset, size: this.#volumeStart - offset, order };
  }

  /** The manifest's lines: the spool's size, and the archives as their extents count them. */
  end(): { readonly spoolSize: number; readonly order: readonly ArchiveRef[] } {
    return { spoolSize: this.#manifest.end(), order: this.#numbers.order };
  }
}

/** A stretch as a manifest has it, now that it is known where the frames of this run lie. */
function placed([archive, at, stored, inFrame, length]: Stretch, frames: readonly PlacedFrame[], numbers: ArchiveNumbers): Extent {
  if (archive !== thisRun) return [numbers.ofBase(archive), at, stored, inFrame, length];
  const frame = frames[at];
  if (frame === undefined) throw new Error(`frame ${at} was noted before it was sealed`);
  return [numbers.ofRun(frame.archive), frame.offset, frame.stored, inFrame, length];
}
