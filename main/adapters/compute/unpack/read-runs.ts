import { sealedRange } from '../../../engine/archive/seal.ts';
import type { ReadRun } from './messages.ts';
import type { Plan } from './plan.ts';

/** Frames that lie so near to each other are read in one go: a request costs more than the bytes between them. */
const nearEnough = 256 * 1024;

/**
 * What has to be read of each archive, in order: all of it, or the stretches that hold the wanted frames. `spares`: frames that nothing needs any more; an
 * archive that has one is not read whole, since most of it may be such.
 */
export function readRuns(
  plan: Plan,
  archiveSizes: readonly number[],
  whole: (archive: number) => boolean,
  spares: (frame: number) => boolean = () => false,
): readonly ReadRun[] {
  const runs: ReadRun[] = [];
  const inPart = new Set<number>();
  for (let frame = 0; frame < plan.frames; frame += 1) if (spares(frame)) inPart.add(plan.frame(frame).archive);
  for (let frame = 0; frame < plan.frames;) {
    if (spares(frame)) {
      frame += 1;
      continue;
    }
    const first = frame;
    const { archive, offset } = plan.frame(first);
    const size = archiveSizes[archive] ?? 0;
    const all = whole(archive) && !inPart.has(archive);
    let end = offset;
    let after = first;
    for (; frame < plan.frames; frame += 1) {
      const next = plan.frame(frame);
      if (next.archive !== archive || (!all && (next.offset < end || next.offset - end > nearEnough))) break;
      // What is spared may lie between two that are wanted, and does not make a run longer.
      if (spares(frame)) continue;
      end = next.offset + next.stored;
      after = frame + 1;
    }
    frame = after;
    const place = all
      ? { range: { offset: 0, length: size }, firstChunk: 0, reachesEnd: true }
      : sealedRange({ offset, length: end - offset }, size);
    runs.push({
      archive,
      offset: place.range.offset,
      length: place.range.length,
      firstChunk: place.firstChunk,
      reachesEnd: place.reachesEnd,
      whole: all,
      firstFrame: first,
      frames: frame - first,
    });
  }
  return runs;
}
