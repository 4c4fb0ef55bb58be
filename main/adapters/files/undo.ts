import { Fault } from '../../contract/faults.ts';
import type { KeptBefore, Undone, UndoTarget, WayBack } from '../../engine/snapshots/restore-target.ts';
import { throwIfCancelled } from '../../engine/storage/cancel.ts';
import type { FileCalls } from './file-calls.ts';
import { join, look, nodeFileCalls, shown, unlessGone } from './file-calls.ts';
import { refuseWhenUsed } from './in-use.ts';
import type { Journal } from './journal.ts';
import { writeJournal } from './journal.ts';
import type { Kept } from './kept-contents.ts';
import { allKept, allRecords, isThere, keptBeside } from './kept-contents.ts';
import { nextRecord } from './kept-records.ts';
import { recoverLocked, recoverTarget } from './recovery.ts';
import { removeTree } from './remove-tree.ts';
import { lockTarget } from './restore-lock.ts';
import { journalPath, resolveTarget } from './restore-places.ts';
import type { RestoreTargetOptions } from './restore-targets.ts';
import { planUndo } from './swap-plan.ts';
import type { RecordHead } from './swap-record.ts';
import { writeRecord } from './swap-record.ts';
import { finishOld, runSwap, swapFault } from './swap-run.ts';
import { sizeOfTree } from './tree-size.ts';

/**
 * The way back. An undo is a swap like any other, with the former content as what is staged: what it takes out of its place is kept
 * as a former content too, so that an undo can itself be undone.
 */
export function createUndoTarget(options: RestoreTargetOptions = {}): UndoTarget {
  const calls = options.calls ?? nodeFileCalls;
  const checkUse = options.refuseWhenUsed ?? refuseWhenUsed;

  async function list(typed: string, signal?: AbortSignal): Promise<readonly KeptBefore[]> {
    await finishLeftBehind(calls, typed);
    const { path } = await resolveTarget(calls, typed);
    const rows: KeptBefore[] = [];
    for (const kept of await keptBeside(calls, path, signal)) rows.push(await rowOf(calls, kept, signal));
    return rows;
  }

  async function undo(typed: string, options: Parameters<UndoTarget['undo']>[1]): Promise<Undone> {
    const { force, time } = options;
    return await locked(calls, typed, async (target, recovered) => {
      const [newest] = await allKept(calls, target);
      if (newest === undefined) {
        throw new Fault('not-found', `no former content of ${shown(target)} is kept`, {
          operation: 'undo',
          context: { target: shown(target), next: 'Check the folder; “holdfast undo --target FOLDER --list” shows what is kept.' },
        });
      }
      if (!force && (await look(calls, target)) !== null) await checkUse(target, 'undo');
      const swapped = await bringBack(calls, newest, time, options);
      return { restored: newest.before.toString(), before: swapped.before, notes: [...recovered, ...swapped.notes] };
    });
  }

  async function discard(typed: string, way: WayBack = {}): Promise<readonly KeptBefore[]> {
    return await locked(calls, typed, async (target) => {
      const rows: KeptBefore[] = [];
      const all = await allRecords(calls, target);
      for (const kept of all) if (await isThere(calls, kept)) rows.push(await rowOf(calls, kept, way.signal));
      // Half a former content must not be left for an undo to bring back.
      pass(way, 'discard');
      for (const kept of all) {
        // The content first: killed in between, the record still names what is left of it, and the next discard takes both.
        await removeTree(calls, kept.before);
        await unlessGone(calls.unlink(join(kept.home.folder, kept.name)));
      }
      return rows;
    });
  }

  return { list, undo, discard };
}

/** Looking takes no lock, so that nobody who looks keeps another one out: what a killed run left is finished where no one else does it. */
async function finishLeftBehind(calls: FileCalls, typed: string): Promise<void> {
  try {
    await recoverTarget(calls, typed);
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'locked')) throw error;
  }
}

async function locked<Result>(
  calls: FileCalls,
  typed: string,
  work: (target: Buffer, recovered: readonly string[]) => Promise<Result>,
): Promise<Result> {
  const { path } = await resolveTarget(calls, typed);
  const lock = await lockTarget(path);
  try {
    return await work(path, await recoverLocked(calls, path));
  } finally {
    await lock.release();
  }
}

async function rowOf(calls: FileCalls, { before, head }: Kept, signal: AbortSignal | undefined): Promise<KeptBefore> {
  return { before: before.toString(), time: head.time, partial: head.partial, ...(await sizeOfTree(calls, before, signal)) };
}

/** The point of no return. */
function pass({ signal, onNoReturn }: WayBack, operation: string): void {
  throwIfCancelled(signal, operation);
  onNoReturn?.();
}

async function* untilCancelled<Item>(items: AsyncIterable<Item>, signal: AbortSignal | undefined): AsyncIterable<Item> {
  for await (const item of items) {
    throwIfCancelled(signal, 'undo');
    yield item;
  }
}

async function bringBack(calls: FileCalls, kept: Kept, time: number, way: WayBack): ReturnType<typeof runSwap> {
  const { home } = kept;
  const { record, before, seq } = await nextRecord(calls, home, time);
  const head: RecordHead = { ...kept.head, seq, time, staged: kept.head.before, before, mtimeNs: null };
  const journal: Journal = { state: 'old', id: kept.head.before, operation: 'undo', staging: null, record, consumes: kept.name };
  try {
    await writeJournal(calls, journalPath(home), journal);
    const plan = planUndo(calls, join(home.folder, kept.name), kept.before, home.target);
    await writeRecord(calls, join(home.folder, record), head, untilCancelled(plan, way.signal));
    pass(way, 'undo');
  } catch (error) {
    await finishOld(calls, home, journal);
    throw swapFault(error, 'undo', `nothing was exchanged in ${shown(home.target)}`);
  }
  return await runSwap(calls, home, journal);
}
