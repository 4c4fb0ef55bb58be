import { sealedRange } from '../../../engine/archive/seal.ts';
import type { ReadRun } from './messages.ts';
import type { Plan } from './plan.ts';

/** Frames that lie so near to each other are read in one go: a request costs more than the bytes between them. */
const nearEnough = 256 * 1024;

/** What has to be read of each archive, in order: all of it, or the stretches that hold the wanted frames. */
export function readRuns(plan: Plan, archiveSizes: readonly number[], whole: (archive: number) => boolean): readonly ReadRun[] {
  const runs: ReadRun[] = [];
  for (let frame = 0; frame < plan.frames;) {
    const first = frame;
    const { archive, offset } = plan.frame(first);
    const size = archiveSizes[archive] ?? 0;
    const all = whole(archive);
    let end = offset;
    while (frame < plan.frames) {
      const next = plan.frame(frame);
      if (next.archive !== archive || (!all && (next.offset < end || next.offset - end > nearEnough))) break;
      end = next.offset + next.stored;
      frame += 1;
    }
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
