import { readStretches, stretchRoom, writeStretches, type Stretch } from './stretches.ts';

/*
 * What the reader writes into a frame's notes for the sealer: the text of an entry's line, and where its data lies. Binary, because a frame's
 * notes are as many as its files.
 */

export interface FrameNote {
  /** A view: valid as long as the frame's notes are. */
  readonly text: Uint8Array;
  readonly stretches: readonly Stretch[];
  /** The next note goes on with the same entry: what one file has may be more than the notes of a frame hold. */
  readonly more: boolean;
  /** Of a file that is still being read: not for the manifest, only for what is written down of the volume. */
  readonly begun: boolean;
}

const headSize = 12;

/** At most three bytes of UTF-8 for each unit of text: counting them exactly would cost more than the room. */
export function noteRoom(text: string | Buffer, stretches: number): number {
  return headSize + stretchRoom(stretches) + text.length * (typeof text === 'string' ? 3 : 1);
}

/** Where the note ends. */
export function writeNote(
  room: Buffer,
  start: number,
  { text, stretches, more, begun }: Omit<FrameNote, 'text'> & { readonly text: string | Buffer },
): number {
  let at = room.writeUInt32LE(stretches.length, start + 4);
  at = room.writeUInt32LE((more ? 1 : 0) | (begun ? 2 : 0), at);
  at = writeStretches(room, at, stretches);
  const length = typeof text === 'string' ? room.write(text, at) : text.copy(room, at);
  room.writeUInt32LE(length, start);
  return at + length;
}

export function* readNotes(notes: Buffer, size: number): Generator<FrameNote> {
  for (let at = 0; at < size;) {
    const length = notes.readUInt32LE(at);
    const count = notes.readUInt32LE(at + 4);
    const marks = notes.readUInt32LE(at + 8);
    at += headSize;
    const stretches = readStretches(notes, at, count);
    at += stretchRoom(count);
    yield { text: notes.subarray(at, at + length), stretches, more: (marks & 1) !== 0, begun: (marks & 2) !== 0 };
    at += length;
  }
}
