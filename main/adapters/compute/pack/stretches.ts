import type { Extent } from '../../../engine/snapshots/manifest-entry.ts';

/*
 * Where a file's content lies while a run is under way: in an archive of the base, by its number in the base's manifest, or in a frame of this
 * run, whose place is not known before it is compressed. Both as an extent, so that they are cut and joined alike.
 */
export type Stretch = Extent;

/** As the archive of a stretch: this run's frame, whose number stands for the offset. */
export const thisRun = 0xffff_ffff;

export function inFrame(frame: number, offset: number, length: number): Stretch {
  return [thisRun, frame, 0, offset, length];
}

const stretchSize = 24;

/** Bytes that so many take when they are written down. */
export function stretchRoom(count: number): number {
  return count * stretchSize;
}

/** Where they end. */
export function writeStretches(room: Buffer, start: number, stretches: readonly Stretch[]): number {
  let at = start;
  for (const [archive, offset, stored, inner, length] of stretches) {
    at = room.writeUInt32LE(archive, at);
    at = room.writeDoubleLE(offset, at);
    at = room.writeUInt32LE(stored, at);
    at = room.writeUInt32LE(inner, at);
    at = room.writeUInt32LE(length, at);
  }
  return at;
}

export function readStretches(bytes: Buffer, start: number, count: number): readonly Stretch[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * stretchSize;
    return [
      bytes.readUInt32LE(at),
      bytes.readDoubleLE(at + 4),
      bytes.readUInt32LE(at + 12),
      bytes.readUInt32LE(at + 16),
      bytes.readUInt32LE(at + 20),
    ];
  });
}
