import { asFault, Fault } from '../../contract/faults.ts';
import type { FileCalls } from './file-calls.ts';
import { isErrno, join, look, shown, unlessGone } from './file-calls.ts';
import type { Journal } from './journal.ts';
import { removeJournal, writeJournal } from './journal.ts';
import { removeEmptyFolders, removeTree } from './remove-tree.ts';
import type { Home } from './restore-places.ts';
import { journalPath } from './restore-places.ts';
import { moveBack, moveForward, restoreModes, rootsOf } from './swap.ts';
import type { RecordHead } from './swap-record.ts';
import { readHead, readSlots } from './swap-record.ts';

export interface Swapped {
  /** Where what was there until now lies; null where there was nothing. */
  readonly before: string | null;
  readonly notes: readonly string[];
}

/**
 * The exchange, once journal (state old) and record are on disk. When it throws, everything is back where it was and journal, record
 * and staging are gone; unless going back fails too: then the journal stays, for the next command.
 */
export async function runSwap(calls: FileCalls, home: Home, journal: Journal): Promise<Swapped> {
  const between: Journal = { ...journal, state: 'between' };
  try {
    const { before } = rootsOf(home, await headOf(calls, home, journal));
    if ((await look(calls, before)) !== null)
      throw new Fault('already-exists', `${shown(before)} appeared meanwhile`, { operation: journal.operation });
    await writeJournal(calls, journalPath(home), between);
  } catch (error) {
    // The journal may say "between" on disk although writing it failed. It has to say "old" again before staging may be touched:
    // killed in the middle of removing it, the next command would else go forward with what is left.
    await settleOld(calls, home, journal, error);
    throw swapFault(error, journal.operation, `nothing was exchanged in ${shown(home.target)}`);
  }
  return await goForward(calls, home, between);
}

/** State between: on to new, or, where that cannot be done, back to old and a fault. */
export async function goForward(calls: FileCalls, home: Home, journal: Journal): Promise<Swapped> {
  const head = await headOf(calls, home, journal);
  let notes: readonly string[];
  try {
    notes = await moveForward(calls, rootsOf(home, head), head, slotsOf(calls, home, journal));
  } catch (error) {
    await goBack(calls, home, journal, head, error);
    throw swapFault(error, journal.operation, `the exchange of ${shown(home.target)} failed; everything is as it was`);
  }
  // The target is new now. Failing to note or tidy that up must not be told as a restore that failed: the next command does it.
  try {
    const done: Journal = { ...journal, state: 'new' };
    await writeJournal(calls, journalPath(home), done);
    const finished = await finishNew(calls, home, done);
    return { before: finished.before, notes: [...notes, ...finished.notes] };
  } catch (error) {
    const why = `not everything could be tidied up, the next command on this target does it: ${asFault(error, journal.operation).message}`;
    return { before: rootsOf(home, head).before.toString(), notes: [...notes, why] };
  }
}

async function goBack(calls: FileCalls, home: Home, journal: Journal, head: RecordHead, reason: unknown): Promise<void> {
  const roots = rootsOf(home, head);
  await orLeaveIt(home, journal, reason, async () => {
    await moveBack(calls, roots, slotsOf(calls, home, journal));
    if (head.mode !== 'whole') await removeEmptyFolders(calls, roots.before);
  });
  await settleOld(calls, home, journal, reason);
}

/** Nothing has moved, or all is back: says so on disk, then takes away what was prepared. */
async function settleOld(calls: FileCalls, home: Home, journal: Journal, reason: unknown): Promise<void> {
  await orLeaveIt(home, journal, reason, () => writeJournal(calls, journalPath(home), { ...journal, state: 'old' }));
  await finishOld(calls, home, journal);
}

/** Where even this fails, the journal stays and the next command goes on from what it finds. */
async function orLeaveIt(home: Home, journal: Journal, reason: unknown, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const why = `${asFault(reason, journal.operation).message}; then: ${asFault(error, journal.operation).message}`;
    throw swapFault(
      error,
      journal.operation,
      `the exchange of ${shown(home.target)} stopped half way and could not be taken back; nothing is lost, any command on this target goes on with it (${why})`,
    );
  }
}

/** State old: takes away what was prepared. */
export async function finishOld(calls: FileCalls, home: Home, journal: Journal): Promise<void> {
  if (journal.staging !== null) await removeTree(calls, join(home.folder, journal.staging));
  await unlessGone(calls.unlink(join(home.folder, journal.record)));
  await removeJournal(calls, journalPath(home));
}

/** State new: cleans up. Every step may have been done already. */
export async function finishNew(calls: FileCalls, home: Home, journal: Journal): Promise<Swapped> {
  const record = join(home.folder, journal.record);
  const head = await readHead(calls, record);
  const notes: string[] = [];
  let before: Buffer | null = null;
  if (head !== null) {
    const roots = rootsOf(home, head);
    await restoreModes(calls, roots, readSlots(calls, record));
    // Of a partial restore the record counts also when nothing was put aside: undo then takes the new entries away.
    if (head.mode === 'entries' || !(await removeIfEmpty(calls, roots.before))) before = roots.before;
  }
  if (journal.consumes !== null) notes.push(...(await useUp(calls, home, journal.consumes)));
  if (before === null) await unlessGone(calls.unlink(record));
  if (journal.staging !== null) await removeTree(calls, join(home.folder, journal.staging));
  await removeJournal(calls, journalPath(home));
  if (head !== null && head.mtimeNs !== null) await calls.setTimes(home.target, BigInt(head.mtimeNs));
  return { before: before === null ? null : before.toString(), notes };
}

/** An undo has brought back what this record had put aside. */
async function useUp(calls: FileCalls, home: Home, consumed: string): Promise<readonly string[]> {
  const record = join(home.folder, consumed);
  const head = await readHead(calls, record);
  if (head === null) return [];
  const notes: string[] = [];
  if (head.mode !== 'whole') {
    const folder = join(home.folder, head.before);
    if (!(await removeEmptyFolders(calls, folder)))
      notes.push(`${shown(folder)} held more than had been put aside there and was left where it is`);
  }
  await unlessGone(calls.unlink(record));
  return notes;
}

/** True when it is gone, or was never there. */
async function removeIfEmpty(calls: FileCalls, folder: Buffer): Promise<boolean> {
  try {
    await unlessGone(calls.rmdir(folder));
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) return false;
    throw error;
  }
}

async function headOf(calls: FileCalls, home: Home, journal: Journal): Promise<RecordHead> {
  const record = join(home.folder, journal.record);
  const head = await readHead(calls, record);
  if (head === null)
    throw new Fault('corrupt', `${shown(record)} is missing, and with it the plan of a swap under way`, { operation: 'recover' });
  return head;
}

function slotsOf(calls: FileCalls, home: Home, journal: Journal): ReturnType<typeof readSlots> {
  return readSlots(calls, join(home.folder, journal.record));
}

/** The system's refusals in our words. */
export function swapFault(error: unknown, operation: string, message: string): Fault {
  if (error instanceof Fault)
    return new Fault(error.code, `${message}: ${error.message}`, { operation, context: error.context, cause: error });
  const text = `${message}: ${error instanceof Error ? error.message : String(error)}`;
  if (isErrno(error, 'EACCES', 'EPERM', 'EROFS')) return new Fault('permission-denied', text, { operation, cause: error });
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) return new Fault('disk-full', text, { operation, cause: error });
  if (isErrno(error, 'EXDEV', 'EBUSY')) {
    return new Fault('unsupported', `${text} (a mount point or layered file system lies in the way)`, { operation, cause: error });
  }
  return new Fault('unexpected', text, { operation, cause: error });
}
