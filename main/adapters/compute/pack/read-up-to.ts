import { readSync } from 'node:fs';

/** Fills `room` from `position` on; less only where the file ends. How many bytes there were. */
export function readUpTo(handle: number, room: Buffer, position: number): number {
  let length = 0;
  while (length < room.length) {
    const taken = readSync(handle, room, length, room.length - length, position + length);
    if (taken === 0) break;
    length += taken;
  }
  return length;
}
