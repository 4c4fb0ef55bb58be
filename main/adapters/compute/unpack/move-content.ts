import { availableParallelism } from 'node:os';
import type { UnpackRequest, UnpackRun } from '../../../engine/archive/unpacker.ts';
import type { FileSpool } from '../../files/spool.ts';
import { runThreads } from '../threads.ts';
import type { ThreadRequest } from '../thread-tasks.ts';
import { damageFault } from './damage-fault.ts';
import type { Losses } from './losses.ts';
import type { CheckerTask, ExtractorTask, OpenerTask, Planned, ReadRun, UnpackMessage } from './messages.ts';
import { Plan, type PlanMemory } from './plan.ts';
import { createUnpackRingMemory, inputSize, UnpackRing } from './unpack-ring.ts';

export const progressEveryMs = 200;
/** The kernel's file creation is the limit: a third one brings nothing and costs memory. */
export const maxExtractors = 2;
const slots = 6;

/** What has been done, of all that is to be. */
export interface Count {
  readonly files: number;
  readonly bytes: number;
  readonly storedBytes: number;
}

export interface Move {
  readonly plan: PlanMemory;
  readonly runs: readonly ReadRun[];
  readonly planned: Planned;
  readonly losses: Losses;
  /** Where the content is written to; else it is only checked, so many bytes of a file ahead of what stands in front of them. */
  readonly to: { readonly staging: string } | { readonly window: number; readonly directories: FileSpool | null };
  /** What was done before. */
  readonly done: Count;
  /** Told of each archive that was read from its first to its last byte. */
  readonly onHash?: (archive: number, sha256: string) => void;
  /** Told of each file that is not as the manifest says although nothing was lost, and of which the target gave a part. */
  readonly onUnlike?: (file: number) => void;
}

/** Reads, opens and extracts (or checks) side by side what is planned; settles to what has been done now. This thread only fetches the stored bytes. */
export async function moveContent(request: UnpackRequest, run: UnpackRun, move: Move): Promise<Count> {
  const { plan, runs, planned, losses, to, done } = move;
  if (runs.length === 0) return done;
  const layout = new Plan(plan);
  let slotSize = 1;
  for (let frame = 0; frame < layout.frames; frame += 1) slotSize = Math.max(slotSize, layout.frame(frame).stored);
  const ring = createUnpackRingMemory({ slots, slotSize });
  const view = new UnpackRing(ring);
  const opener: OpenerTask = {
    ring,
    plan,
    runs,
    archives: request.archives.map(({ keys, head }) => ({ keys, head })),
    tolerant: request.tolerant,
  };
  const threads: ThreadRequest[] = [{ task: 'unseal', about: opener }];
  if ('staging' in to) {
    const owner = process.getuid?.() === 0;
    const extractor: ExtractorTask = { ring, plan, staging: to.staging, owner };
    const count = Math.min(availableParallelism(), maxExtractors);
    for (let index = 0; index < count; index += 1) {
      threads.push({ task: 'extract', about: extractor });
    }
  } else {
    const { window, directories } = to;
    const checker: CheckerTask = { ring, plan, window, ...(await spoolDirectories(request, directories)) };
    threads.push({ task: 'check', about: checker });
  }

  function onMessage(message: UnpackMessage): void {
    if (message.kind === 'damage') losses.addDamage(message.damage);
    else if (message.kind === 'lost-frame') losses.loseFrame(layout, message.frame);
    else if (message.kind === 'lost-file') losses.loseFile(message.file);
    else if (message.kind === 'unlike') move.onUnlike?.(message.file);
    else if (message.kind === 'hashed') move.onHash?.(message.archive, message.sha256);
  }

  let { storedBytes } = done;
  const counted = (): Count => ({ files: done.files + view.counted.files, bytes: done.bytes + view.counted.bytes, storedBytes });
  const tell = (): void => {
    const phase = 'staging' in to ? 'download' : 'check';
    run.onProgress?.({ phase, ...counted(), totalFiles: planned.files, totalBytes: planned.bytes });
  };
  const timer = setInterval(tell, progressEveryMs);
  let failure: unknown;
  const feeding = feed(request, runs, view, (bytes) => {
    storedBytes += bytes;
  }).catch((error: unknown) => {
    // Stopped by the threads: theirs is the fault that counts.
    if (!view.monitor.stopped) failure = error;
    view.monitor.stop();
  });
  try {
    await runThreads(threads, view.monitor, (message) => onMessage(message as UnpackMessage), run.signal);
    tell();
  } catch (error) {
    view.monitor.stop();
    await feeding;
    if (!request.tolerant && losses.damage.length > 0 && run.signal?.aborted !== true) throw damageFault(request, losses);
    throw failure !== undefined && run.signal?.aborted !== true ? failure : error;
  } finally {
    clearInterval(timer);
  }
  await feeding;
  return counted();
}

/** Fetches run after run and copies it into the input slots. */
async function feed(request: UnpackRequest, runs: readonly ReadRun[], ring: UnpackRing, onBytes: (bytes: number) => void): Promise<void> {
  let input = 0;
  for (const { archive, offset, length } of runs) {
    let slot: Buffer | null = null;
    let filled = 0;
    for await (const piece of await request.read(archive, { offset, length })) {
      onBytes(piece.length);
      for (let at = 0; at < piece.length;) {
        if (slot === null) {
          const next = input;
          await ring.monitor.whenTrue(() => ring.inputFree(next));
          slot = ring.input(input);
        }
        const take = Math.min(inputSize - filled, piece.length - at);
        slot.set(piece.subarray(at, at + take), filled);
        filled += take;
        at += take;
        if (filled < inputSize) continue;
        ring.fillInput(input, filled, false);
        input += 1;
        slot = null;
        filled = 0;
      }
    }
    const next = input;
    await ring.monitor.whenTrue(() => ring.inputFree(next));
    ring.fillInput(input, filled, true);
    input += 1;
  }
}

async function spoolDirectories(
  request: UnpackRequest,
  spool: FileSpool | null,
): Promise<Pick<CheckerTask, 'directories' | 'directorySpool'>> {
  if (spool === null) return { directories: [], directorySpool: -1 };
  const directories: ({ offset: number; length: number } | null)[] = [];
  for (let archive = 0; archive < request.archives.length; archive += 1) {
    const offset = spool.size;
    const isThere = await request.directory(archive, (piece) => spool.append(piece));
    directories.push(isThere ? { offset, length: spool.size - offset } : null);
  }
  return { directories, directorySpool: spool.handle };
}
