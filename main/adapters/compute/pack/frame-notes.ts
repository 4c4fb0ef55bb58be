import type { Extent } from '../../../engine/snapshots/manifest-entry.ts';

/*
 * What the reader writes into a frame's notes for the sealer: the text of an entry's line, where its data lies in this run's frames, and
 * where in earlier archives. Binary, because a frame's notes are as many as its files.
 */

/** Where a stretch of an entry's data begins and how long it is; it may go on over the frames that follow. */
export interface Run {
  readonly frame: number;
  readonly offset: number;
  readonly length: number;
}

export interface FrameNote {
  /** A view: valid as long as the frame's notes are. */
  readonly text: Uint8Array;
  readonly runs: readonly Run[];
  /** Stretches that stay where they are; the archive is its number in the base's manifest. */
  readonly kept: readonly Extent[];
  /** The next note goes on with the same entry: one file's extents may be more than the notes of a frame hold. */
  readonly more: boolean;
}

const headSize = 16;
const runSize = 16;
const keptSize = 24;

/** At most three bytes of UTF-8 for each unit of text: counting them exactly would cost more than the room. */
export function noteRoom(text: string, runs: number, kept: number): number {
  return headSize + runs * runSize + kept * keptSize + text.length * 3;
}

/** Where the note ends. */
export function writeNote(
  room: Buffer,
  start: number,
  { text, runs, kept, more }: Omit<FrameNote, 'text'> & { readonly text: string },
): number {
  let at = room.writeUInt32LE(runs.length, start + 4);
  at = room.writeUInt32LE(kept.length, at);
  at = room.writeUInt32LE(more ? 1 : 0, at);
  for (const run of runs) {
    at = room.writeUInt32LE(run.frame, at);
    at = room.writeUInt32LE(run.offset, at);
    at = room.writeDoubleLE(run.length, at);
  }
  for (const [archive, offset, stored, inFrame, length] of kept) {
    at = room.writeUInt32LE(archive, at);
    at = room.writeDoubleLE(offset, at);
    at = room.writeUInt32LE(stored, at);
    at = room.writeUInt32LE(inFrame, at);
    at = room.writeUInt32LE(length, at);
  }
  const length = room.write(text, at);
  room.writeUInt32LE(length, start);
  return at + length;
}

export function* readNotes(notes: Buffer, size: number): Generator<FrameNote> {
  for (let at = 0; at < size;) {
    const length = notes.readUInt32LE(at);
    const runCount = notes.readUInt32LE(at + 4);
    const keptCount = notes.readUInt32LE(at + 8);
    const more = notes.readUInt32LE(at + 12) === 1;
    at += headSize;
    const runs: Run[] = [];
    for (; runs.length < runCount; at += runSize) {
      runs.push({ frame: notes.readUInt32LE(at), offset: notes.readUInt32LE(at + 4), length: notes.readDoubleLE(at + 8) });
    }
    const kept: Extent[] = [];
    for (; kept.length < keptCount; at += keptSize) {
      kept.push([
        notes.readUInt32LE(at),
        notes.readDoubleLE(at + 4),
        notes.readUInt32LE(at + 12),
        notes.readUInt32LE(at + 16),
        notes.readUInt32LE(at + 20),
      ]);
    }
    yield { text: notes.subarray(at, at + length), runs, kept, more };
    at += length;
  }
}
