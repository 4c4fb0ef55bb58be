import { afterUndoing } from '../../engine/snapshots/after-undoing.ts';
import type { Committed, CommitOptions, PrepareRequest, RootAttributes } from '../../engine/snapshots/restore-target.ts';
import { carryOver } from './carry-over.ts';
import type { CarriedOver } from './carry-over.ts';
import type { FileCalls } from './file-calls.ts';
import { isErrno, join, look, shown } from './file-calls.ts';
import type { Journal } from './journal.ts';
import type { TargetLock } from './restore-lock.ts';
import type { Target } from './restore-places.ts';
import { planChildren, planEntries, planWhole } from './swap-plan.ts';
import type { RecordHead, Slot } from './swap-record.ts';
import { writeRecord } from './swap-record.ts';
import { runSwap, swapFault } from './swap-run.ts';
import type { CheckedTarget } from './target-checks.ts';
import { staysInPlace } from './target-checks.ts';

/** What `prepare` found out and holds. */
export interface Prepared {
  readonly calls: FileCalls;
  readonly checkUse: (folder: Buffer, operation: string) => Promise<number>;
  readonly request: PrepareRequest;
  readonly target: Target;
  readonly checked: CheckedTarget;
  readonly lock: TargetLock;
  readonly notes: readonly string[];
}

/** A staging folder, once there is one. */
export interface Staged {
  readonly journal: Journal;
  readonly head: RecordHead;
  readonly dir: Buffer;
  readonly drop: () => Promise<void>;
}

/** From a filled staging folder to the exchanged target. When it throws, the target is as it was, and staging is gone. */
export async function exchange(prepared: Prepared, staged: Staged, options: CommitOptions): Promise<Committed> {
  const { calls, target, checked } = prepared;
  const { home } = checked;
  const notes: string[] = [];
  let carriedOver = 0;
  try {
    if (!prepared.request.force && checked.exists) await prepared.checkUse(target.path, 'restore');
    const stays = staysInPlace(home);
    for await (const name of calls.names(staged.dir)) {
      if (stays(name)) notes.push(`${shown(name)} was left out: here the name is kept for restores themselves`);
    }
    if (options.carryOver !== null && checked.hasContent) {
      const carried = await carryInto(prepared, staged, options.carryOver, options.exchange ?? never, stays);
      carriedOver = carried.count;
      notes.push(...carried.notes);
    }
    const head = await dressRoot(calls, checked, staged, options.root, notes);
    await calls.syncFileSystem(staged.dir);
    await writeRecord(calls, join(home.folder, staged.journal.record), head, planOf(prepared, staged, options.exchange ?? never, stays));
  } catch (error) {
    throw await afterUndoing(swapFault(error, 'restore', `nothing was exchanged in ${shown(target.path)}`), staged.drop);
  }
  const swapped = await runSwap(calls, home, staged.journal);
  return { before: swapped.before, carriedOver, notes: [...notes, ...swapped.notes] };
}

const never = (): boolean => false;

function planOf(
  prepared: Prepared,
  { head, dir }: Staged,
  exchangeWhole: (path: Buffer) => boolean,
  stays: (name: Buffer) => boolean,
): AsyncIterable<Slot> {
  const { calls, target } = prepared;
  if (head.mode === 'whole') return planWhole(calls, target.path);
  if (head.mode === 'children') return planChildren(calls, dir, target.path, stays);
  return planEntries(calls, { staged: dir, target: target.path, exchange: exchangeWhole, stays });
}

/** Into the whole tree, or into each folder that a partial restore exchanges as a whole. */
async function carryInto(
  prepared: Prepared,
  { head, dir }: Staged,
  excluded: (path: Buffer, isDirectory: boolean) => boolean,
  exchangeWhole: (path: Buffer) => boolean,
  stays: (name: Buffer) => boolean,
): Promise<CarriedOver> {
  const { calls, target } = prepared;
  const whole = { old: target.path, fresh: dir, at: Buffer.alloc(0), excluded, stays };
  if (head.mode !== 'entries') return await carryOver(calls, whole);
  let count = 0;
  const notes: string[] = [];
  for await (const slot of planEntries(calls, { staged: dir, target: target.path, exchange: exchangeWhole, stays })) {
    if (!slot.old || !(await isFolder(calls, join(dir, slot.path))) || !(await isFolder(calls, join(target.path, slot.path)))) continue;
    const carried = await carryOver(calls, { ...whole, at: slot.path });
    count += carried.count;
    notes.push(...carried.notes);
  }
  return { count, notes };
}

async function isFolder(calls: FileCalls, path: Buffer): Promise<boolean> {
  return (await look(calls, path))?.isDirectory() === true;
}

/** Of a new folder whose snapshot does not say, which a classic one never does. */
const unsaidMode = 0o755;

/** Mode and owner of the former folder win; the time is the snapshot's. Where the target's folder stays, only its time is set, last. */
async function dressRoot(
  calls: FileCalls,
  checked: CheckedTarget,
  { head, dir }: Staged,
  root: RootAttributes | null,
  notes: string[],
): Promise<RecordHead> {
  if (head.mode === 'entries') return head;
  if (head.mode === 'children') return root === null ? head : { ...head, mtimeNs: String(root.mtimeNs) };
  const former = checked.exists ? await calls.lstat(checked.home.target) : null;
  const model = former === null ? root : { mode: Number(former.mode & 0o7777n), uid: Number(former.uid), gid: Number(former.gid) };
  if (model !== null) {
    // Of a new folder only root sets the owner, as with everything else that is restored.
    if (former !== null || process.geteuid?.() === 0) await dressOwner(calls, dir, model, notes);
    await calls.chmod(dir, model.mode);
  } else await calls.chmod(dir, unsaidMode);
  if (root !== null) await calls.setTimes(dir, root.mtimeNs);
  return head;
}

async function dressOwner(
  calls: FileCalls,
  dir: Buffer,
  model: { readonly uid: number; readonly gid: number },
  notes: string[],
): Promise<void> {
  try {
    await calls.lchown(dir, model.uid, model.gid);
  } catch (error) {
    if (!isErrno(error, 'EPERM')) throw error;
    notes.push('owner and group of the former folder could not be kept: only root may give files away');
  }
}
