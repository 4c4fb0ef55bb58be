import { createHash, randomBytes } from 'node:crypto';
import { ClassicSealer } from '../../../engine/archive/classic.ts';
import { deriveMessage, messageContext, messageSaltSize, Sealer } from '../../../engine/archive/seal.ts';
import { encodeSeekTable } from '../../../engine/archive/seek-table.ts';
import type { FrameSize } from '../../../engine/archive/seek-table.ts';
import { entryLineEnd } from '../../../engine/snapshots/manifest-entry.ts';
import type { Extent } from '../../../engine/snapshots/manifest-entry.ts';
import { endsVolume, FrameRing, slotState } from '../frame-ring.ts';
import type { PartRing } from '../frame-ring.ts';
import { runWorker } from '../worker-entry.ts';
import type { SealerTask, WorkerMessage } from './messages.ts';
import { LineSpool } from './line-spool.ts';
import { ArchiveNumbers } from './archive-numbers.ts';
import { readNotes } from './frame-notes.ts';
import { thisRun, type Stretch } from './stretches.ts';

interface PlacedFrame extends FrameSize {
  readonly archive: number;
  readonly offset: number;
}

/** Fills part slots in order; the main thread sends each off and frees it. */
class PartFiller {
  readonly #ring: FrameRing;
  readonly #parts: PartRing;
  readonly #target: number;
  readonly #tell: (message: WorkerMessage) => void;
  #slot = 0;
  #part: Buffer | null = null;
  #filled = 0;
  #hash = createHash('sha256');
  #size = 0;

  constructor(ring: FrameRing, target: number, tell: (message: WorkerMessage) => void) {
    this.#ring = ring;
    this.#parts = ring.partsOf(target);
    this.#target = target;
    this.#tell = tell;
  }

  readonly write = (bytes: Uint8Array): void => {
    let offset = 0;
    while (offset < bytes.length) {
      const part = (this.#part ??= this.#claim());
      const take = Math.min(part.length - this.#filled, bytes.length - offset);
      part.set(bytes.subarray(offset, offset + take), this.#filled);
      this.#filled += take;
      offset += take;
      if (this.#filled === part.length) this.#send();
    }
  };

  /** Sends what is left and says what the whole object was. */
  end(): { size: number; sha256: string } {
    if (this.#filled > 0) this.#send();
    const end = { size: this.#size, sha256: this.#hash.digest('hex') };
    this.#hash = createHash('sha256');
    this.#size = 0;
    return end;
  }

  #claim(): Buffer {
    const slot = this.#slot;
    this.#ring.monitor.waitUntil(() => !this.#parts.isBusy(slot));
    return this.#parts.part(slot);
  }

  #send(): void {
    const part = this.#part;
    if (part === null) return;
    this.#hash.update(part.subarray(0, this.#filled));
    this.#size += this.#filled;
    this.#parts.setBusy(this.#slot, true);
    this.#tell({ kind: 'part', target: this.#target, slot: this.#slot, length: this.#filled });
    this.#slot = (this.#slot + 1) % this.#parts.slots;
    this.#part = null;
    this.#filled = 0;
  }
}

interface ArchiveSealer {
  readonly head: Uint8Array;
  update(bytes: Uint8Array): void;
  end(): void;
}

function beginArchive(task: SealerTask, write: (bytes: Uint8Array) => void): ArchiveSealer {
  if (task.seal.format === 'classic') {
    const sealer = new ClassicSealer(task.seal);
    write(sealer.head());
    return { head: Buffer.alloc(0), update: (bytes) => write(sealer.update(bytes)), end: () => write(sealer.end()) };
  }
  // The salt is drawn here, where the message is made, and nowhere else: no two messages can come to share one.
  const salt = randomBytes(messageSaltSize);
  const keys = deriveMessage(task.seal.vaultKey, salt, messageContext('holdfast/v2/archive', task.seal.header));
  const sealer = new Sealer(keys);
  const head = Buffer.concat([task.seal.header, salt, keys.commitment]);
  write(head);
  return { head, update: (bytes) => sealer.update(bytes, write), end: () => sealer.end(write) };
}

/** A stretch as the manifest has it, now that it is known where the frames of this run lie. */
function placed([archive, at, stored, inFrame, length]: Stretch, frames: readonly PlacedFrame[], numbers: ArchiveNumbers): Extent {
  if (archive !== thisRun) return [numbers.ofBase(archive), at, stored, inFrame, length];
  const frame = frames[at];
  if (frame === undefined) throw new Error(`frame ${at} was noted before it was sealed`);
  return [numbers.ofRun(frame.archive), frame.offset, frame.stored, inFrame, length];
}

/** Takes the compressed frames in order: seals them into parts, hashes what is stored, and completes the manifest's lines. */
runWorker('seal', (task: SealerTask, send) => {
  const tell = send as (message: WorkerMessage) => void;
  const ring = new FrameRing(task.ring);
  const { target } = task;
  const parts = new PartFiller(ring, target, tell);
  const spool = task.spool === null ? null : new LineSpool(task.spool);
  const numbers = new ArchiveNumbers();
  const frames: PlacedFrame[] = [];
  /** Of an entry that goes on in the next note. */
  let texts: Uint8Array[] = [];
  let extents: Extent[] = [];
  let archive: ArchiveSealer | null = null;
  let archives = 0;
  let offset = 0;
  let volumeFrames: FrameSize[] = [];

  for (let index = 0; ; index += 1) {
    const slot = index % ring.slots;
    ring.monitor.waitUntil(() => ring.frameCount === index || ring.holds(slot, index, slotState.compressed));
    if (ring.frameCount === index) break;
    const sizes = ring.sizes(slot);
    frames.push({ archive: archives, offset, stored: sizes.content === 0 ? 0 : sizes.stored, content: sizes.content });
    // A frame of notes alone tells of files that stay where they are; it goes into no archive.
    if (sizes.content > 0) {
      if (archive === null) {
        tell({ kind: 'volume-begin', target });
        archive = beginArchive(task, parts.write);
        numbers.ofRun(archives);
      }
      volumeFrames.push({ stored: sizes.stored, content: sizes.content });
      archive.update(ring.stored(slot).subarray(0, sizes.stored));
      offset += sizes.stored;
    }

    for (const note of spool === null ? [] : readNotes(ring.notes(slot), sizes.notes)) {
      for (const stretch of note.stretches) extents.push(placed(stretch, frames, numbers));
      texts.push(note.more ? Buffer.from(note.text) : note.text);
      if (note.more) continue;
      spool?.append(texts, entryLineEnd(extents));
      texts = [];
      extents = [];
    }
    ring.take(slot);

    if ((sizes.flags & endsVolume) === 0 || archive === null) continue;
    if (task.seal.format === 'archive') archive.update(encodeSeekTable(volumeFrames));
    archive.end();
    const zipSize = volumeFrames.reduce((sum, frame) => sum + frame.content, 0);
    tell({ kind: 'volume-end', target, archive: { ...parts.end(), head: archive.head, zipSize, frames: volumeFrames.length } });
    archive = null;
    archives += 1;
    offset = 0;
    volumeFrames = [];
  }
  if (spool !== null) tell({ kind: 'sealed', spoolSize: spool.end(), order: numbers.order });
});
