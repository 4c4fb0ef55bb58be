import { availableParallelism } from 'node:os';
import type { UnpackRun } from '../../../engine/archive/unpacker.ts';
import { Monitor, monitorWords } from '../monitor.ts';
import type { ThreadRequest } from '../thread-tasks.ts';
import { runThreads } from '../threads.ts';
import { keeperCounters, keeperWords, type KeeperTask, type Planned } from './messages.ts';
import { maxExtractors, progressEveryMs } from './move-content.ts';

export interface KeptCount {
  /** Those that are there whole. */
  readonly files: number;
  /** Others, of which a part was there. */
  readonly parts: number;
  /** Of both. */
  readonly bytes: number;
}

export interface Kept extends KeptCount {
  /** Whether no file needs this frame of the plan any more. */
  readonly spares: (frame: number) => boolean;
}

export const nothingKept: Kept = { files: 0, parts: 0, bytes: 0, spares: () => false };

/** Before anything is fetched: takes over from the target's present content what the snapshot has too, and marks it in the plan. */
export async function keepFormer(
  planned: Planned,
  { former, staging }: { readonly former: string; readonly staging: string },
  run: UnpackRun,
): Promise<Kept> {
  if (planned.plan.files === 0) return nothingKept;
  const count = Math.min(availableParallelism(), maxExtractors);
  const shared = new Int32Array(new SharedArrayBuffer(Object.keys(keeperWords).length * 4));
  shared[keeperWords.running] = count;
  const counters = new BigInt64Array(new SharedArrayBuffer(Object.keys(keeperCounters).length * 8));
  const spared = new Uint8Array(new SharedArrayBuffer(planned.plan.frames));
  const task: KeeperTask = {
    control: new SharedArrayBuffer(monitorWords * 4),
    ...{ shared: shared.buffer, counters: counters.buffer, spared: spared.buffer },
    ...{ plan: planned.plan, former, staging, owner: process.getuid?.() === 0 },
  };
  const counted = (what: keyof typeof keeperCounters): number => Number(Atomics.load(counters, keeperCounters[what]));
  const timer = setInterval(() => {
    const done = { files: counted('files'), bytes: counted('bytes'), storedBytes: 0 };
    run.onProgress?.({ phase: 'download', ...done, totalFiles: planned.files, totalBytes: planned.bytes });
  }, progressEveryMs);
  try {
    const threads = Array.from({ length: count }, (): ThreadRequest => ({ task: 'keep', about: task }));
    await runThreads(threads, new Monitor(new Int32Array(task.control)), () => undefined, run.signal);
  } finally {
    clearInterval(timer);
  }
  return { files: counted('files'), parts: counted('parts'), bytes: counted('bytes'), spares: (frame) => spared[frame] === 1 };
}
