import type { UnpackRequest, UnpackRun } from '../../../engine/archive/unpacker.ts';
import type { KeptCount } from './keep-former.ts';
import { moveContent, type Count, type Move } from './move-content.ts';
import { Plan } from './plan.ts';
import { readRuns } from './read-runs.ts';

interface Again {
  /** Those that were put together from pieces of the target and fetched ones, and are not what the manifest says. */
  readonly files: ReadonlySet<number>;
  readonly kept: KeptCount;
}

/**
 * Fetches those files whole of which the target gave a part in vain: the snapshot's list of their pieces is wrong, or something has changed what was written.
 * That is done once; one that is not right then either is lost.
 */
export async function fetchAgain(
  request: UnpackRequest,
  run: UnpackRun,
  move: Omit<Move, 'runs'>,
  { files, kept }: Again,
): Promise<{ readonly done: Count; readonly kept: KeptCount }> {
  const plan = new Plan(move.plan);
  const extents = new Map<number, number>();
  const wanted = new Set<number>();
  const inVain = { parts: new Set<number>(), bytes: 0 };
  for (let frame = 0; frame < plan.frames; frame += 1) {
    for (const extent of plan.extents(frame)) {
      if (!files.has(extent.file)) continue;
      wanted.add(frame);
      extents.set(extent.file, (extents.get(extent.file) ?? 0) + 1);
      if (plan.needs(extent)) continue;
      inVain.parts.add(extent.file);
      inVain.bytes += extent.length;
    }
  }
  let bytes = 0;
  for (let file = 0; file < plan.files; file += 1) {
    if (files.has(file)) {
      bytes += plan.size(file);
      plan.forgetPieces(file, extents.get(file) ?? 0);
      // Done, or lost, which it stays.
    } else plan.setKept(file);
  }
  const sizes = request.archives.map(({ size }) => size);
  const runs = readRuns(
    plan,
    sizes,
    () => false,
    (frame) => !wanted.has(frame),
  );
  const done = await moveContent(request, run, { ...move, runs, done: { ...move.done, bytes: move.done.bytes - bytes } });
  return { done, kept: { ...kept, parts: kept.parts - inVain.parts.size, bytes: kept.bytes - inVain.bytes } };
}
