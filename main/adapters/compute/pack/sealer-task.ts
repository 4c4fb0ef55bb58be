import { createHash, randomBytes } from 'node:crypto';
import { ClassicSealer } from '../../../engine/archive/classic.ts';
import { deriveMessage, messageContext, messageSaltSize, Sealer } from '../../../engine/archive/seal.ts';
import { encodeSeekTable } from '../../../engine/archive/seek-table.ts';
import type { FrameSize } from '../../../engine/archive/seek-table.ts';
import { endsRun, endsVolume, FrameRing, slotState } from '../frame-ring.ts';
import type { PartRing } from '../frame-ring.ts';
import { threadTask } from '../thread-task.ts';
import type { SealerTask, WorkerMessage } from './messages.ts';
import { EntryLines, type PlacedFrame } from './entry-lines.ts';
import { readNotes } from './frame-notes.ts';

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

/** Takes the compressed frames in order: seals them into parts, hashes what is stored, and completes the manifest's lines. */
export const task = threadTask('seal', (task: SealerTask, send) => {
  const tell = send as (message: WorkerMessage) => void;
  const ring = new FrameRing(task.ring);
  const { target } = task;
  const parts = new PartFiller(ring, target, tell);
  const lines = task.spools === null ? null : new EntryLines(task.spools, task.settled);
  const frames: PlacedFrame[] = [];
  let archive: ArchiveSealer | null = null;
  let archives = 0;
  let offset = 0;
  let volumeFrames: FrameSize[] = [];

  for (let index = 0; ; index += 1) {
    const slot = index % ring.slots;
    ring.monitor.waitUntil(() => ring.frameCount === index || ring.holds(slot, index, slotState.compressed));
    if (ring.frameCount === index) break;
    const sizes = ring.sizes(slot);
    frames.push({ archive: archives, offset, stored: sizes.content === 0 ? 0 : sizes.stored });
    // A frame of notes alone tells of files that stay where they are; it goes into no archive.
    if (sizes.content > 0) {
      if (archive === null) {
        tell({ kind: 'volume-begin', target });
        archive = beginArchive(task, parts.write);
        lines?.beginVolume(archives);
      }
      volumeFrames.push({ stored: sizes.stored, content: sizes.content });
      archive.update(ring.stored(slot).subarray(0, sizes.stored));
      offset += sizes.stored;
    }

    if (lines !== null) for (const note of readNotes(ring.notes(slot), sizes.notes)) lines.add(note, frames);
    ring.take(slot);

    if ((sizes.flags & endsVolume) === 0 || archive === null) continue;
    if (task.seal.format === 'archive') archive.update(encodeSeekTable(volumeFrames));
    archive.end();
    const zipSize = volumeFrames.reduce((sum, frame) => sum + frame.content, 0);
    const isLast = (sizes.flags & endsRun) !== 0;
    const packed = { ...parts.end(), head: archive.head, zipSize, frames: volumeFrames.length };
    tell({ kind: 'volume-end', target, archive: packed, isLast });
    // What follows the last one at once is the manifest, which has it all.
    if (lines !== null && !isLast) tell({ kind: 'volume-lines', volume: archives, ...lines.endVolume(archives) });
    archive = null;
    archives += 1;
    offset = 0;
    volumeFrames = [];
  }
  if (lines !== null) tell({ kind: 'sealed', ...lines.end() });
});
