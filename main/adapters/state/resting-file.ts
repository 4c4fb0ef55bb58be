import { z } from 'zod';
import type { Fault } from '../../contract/faults.ts';
import { quiesceSchema } from '../../contract/server-settings.ts';
import type { Resting } from '../../engine/service/ports.ts';
import { readable, readJson, writtenFile, type FileProblem } from './written-file.ts';

const restingSchema = z.object({
  slug: z.string(),
  name: z.string(),
  quiesce: quiesceSchema,
  removed: z.boolean(),
  former: z.literal(true).optional(),
});
/** Its entries are looked at one by one: what one of them cannot say must not leave the others at rest. */
const fileSchema = z.looseObject({ version: z.literal(1), resting: z.array(z.unknown()) });

export interface RestingFile {
  readonly all: () => readonly Resting[];
  /** Settles to null once it is on disk, else to why it is not; then flush() tries again. */
  readonly set: (all: readonly Resting[]) => Promise<Fault | null>;
  readonly flush: () => Promise<Fault | null>;
  /** Why the last writing failed; null where it did not. */
  readonly failure: () => Fault | null;
}

/**
 * What is at rest because of us, in a file of its own: `{ version: 1, resting: [{ slug, name, quiesce, removed, former? }] }`. `former`: what an earlier
 * version kept of it elsewhere, which counts as long as this file was never written.
 */
export async function openRestingFile(options: {
  readonly path: string;
  readonly former: readonly unknown[];
  readonly onProblem: FileProblem;
}): Promise<RestingFile> {
  const { path, former, onProblem } = options;
  const known = await readJson(path, fileSchema, onProblem);
  let resting: readonly Resting[] = (known?.resting ?? former).flatMap((one) =>
    readable(path, 'a server at rest', restingSchema, one, onProblem),
  );
  const file = writtenFile({ path, content: () => ({ version: 1, resting }), onProblem });
  async function set(all: readonly Resting[]): Promise<Fault | null> {
    resting = all;
    file.changed();
    return await file.flush();
  }
  // The other file is written without it from now on.
  if (known === null && resting.length > 0) await set(resting);
  return { all: () => resting, set, flush: file.flush, failure: file.failure };
}
