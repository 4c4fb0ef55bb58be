import { Fault } from '../../contract/faults.ts';
import type {
  Committed,
  CommitOptions,
  PrepareRequest,
  RestoreTargets,
  RootAttributes,
  Staging,
} from '../../engine/snapshots/restore-target.ts';
import { carryOver } from './carry-over.ts';
import type { CarriedOver } from './carry-over.ts';
import type { FileCalls } from './file-calls.ts';
import { isErrno, join, look, nodeFileCalls, parentOf, shown } from './file-calls.ts';
import { refuseWhenUsed } from './in-use.ts';
import type { Journal } from './journal.ts';
import { writeJournal } from './journal.ts';
import { nextRecord } from './kept-records.ts';
import { recoverLocked, recoverTarget } from './recovery.ts';
import { removeEmptyFolders } from './remove-tree.ts';
import type { TargetLock } from './restore-lock.ts';
import { lockTarget } from './restore-lock.ts';
import type { Target } from './restore-places.ts';
import { journalPath, resolveTarget, stagingName } from './restore-places.ts';
import { refuseWhenFull } from './space.ts';
import { planChildren, planEntries, planWhole } from './swap-plan.ts';
import type { RecordHead, Slot, SwapMode } from './swap-record.ts';
import { writeRecord } from './swap-record.ts';
import { finishOld, runSwap, swapFault } from './swap-run.ts';
import type { CheckedTarget } from './target-checks.ts';
import { checkTarget, staysInPlace } from './target-checks.ts';

export interface RestoreTargetOptions {
  readonly calls?: FileCalls;
  /** Faults: locked, when a process uses the folder. Returns how many processes could not be looked into. */
  readonly refuseWhenUsed?: (folder: Buffer, operation: string) => Promise<number>;
}

/** Where restores go on this computer. docs/restore-safety.md tells the whole story. */
export function createRestoreTargets(options: RestoreTargetOptions = {}): RestoreTargets {
  const calls = options.calls ?? nodeFileCalls;
  const checkUse = options.refuseWhenUsed ?? refuseWhenUsed;

  async function prepare(request: PrepareRequest): Promise<Staging> {
    const target = await resolveTarget(calls, request.target);
    const lock = await lockTarget(target.path);
    try {
      const notes = [...(await recoverLocked(calls, target.path))];
      const checked = await checkTarget(calls, target, request);
      if (target.viaLink) notes.push(`${request.target} is a link; the restore goes to ${shown(target.path)}`);
      if (!request.force && checked.exists) {
        const hidden = await checkUse(target.path, 'restore');
        if (hidden > 0) notes.push(`processes that could not be asked whether they use the target (other users’): ${hidden}`);
      }
      await refuseWhenFull(calls, checked.exists ? target.path : target.existing, request.bytesNeeded, request.filesNeeded);
      return await openStaging({ calls, checkUse, request, target, checked, lock, notes });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  return { recover: (target) => recoverTarget(calls, target), prepare };
}

interface Prepared {
  readonly calls: FileCalls;
  readonly checkUse: (folder: Buffer, operation: string) => Promise<number>;
  readonly request: PrepareRequest;
  readonly target: Target;
  readonly checked: CheckedTarget;
  readonly lock: TargetLock;
  readonly notes: readonly string[];
}

async function openStaging(prepared: Prepared): Promise<Staging> {
  const { calls, request, target, checked, lock } = prepared;
  const { home } = checked;
  const mode: SwapMode = request.partial && checked.hasContent ? 'entries' : home.kind === 'inside' ? 'children' : 'whole';
  const staging = stagingName(home, request.id);
  // A whole tree only changes its name within one folder. Single entries change folders, and the staged root itself is thrown away.
  const staged = mode === 'whole' ? staging : `${staging}/tree`;
  const dir = join(home.folder, staged);
  const made: Buffer[] = [];
  let journal: Journal | null = null;
  const drop = async (): Promise<void> => {
    if (journal !== null) await finishOld(calls, home, journal);
    for (const folder of made.toReversed()) await removeEmptyFolders(calls, folder);
  };
  try {
    await makeFolders(calls, home.folder, made);
    const { record, before, seq } = await nextRecord(calls, home, request.time);
    const head: RecordHead = { mode, seq, id: request.id, time: request.time, partial: request.partial, staged, before, mtimeNs: null };
    journal = { state: 'old', id: request.id, operation: 'restore', staging, record, consumes: null };
    await writeJournal(calls, journalPath(home), journal);
    await calls.mkdir(join(home.folder, staging), 0o700);
    if (mode !== 'whole') await calls.mkdir(dir, 0o700);
    await refuseOtherFileSystem(calls, dir, checked.exists ? target.path : home.folder);
    return stagingOf(prepared, dir, drop, (options) => exchange(prepared, { journal: journal as Journal, head, dir, drop }, options), lock);
  } catch (error) {
    await drop();
    throw swapFault(error, 'restore', `no staging folder could be made at ${shown(dir)}`);
  }
}

function stagingOf(
  prepared: Prepared,
  dir: Buffer,
  drop: () => Promise<void>,
  exchangeAll: (options: CommitOptions) => Promise<Committed>,
  lock: TargetLock,
): Staging {
  let open = true;
  /** Staging ends once, by commit or by abort; the lock goes with it. */
  async function ending<Result>(work: () => Promise<Result>): Promise<Result> {
    open = false;
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }
  return {
    dir: dir.toString(),
    target: prepared.target.path.toString(),
    notes: prepared.notes,
    commit: (options) => {
      if (open) return ending(() => exchangeAll(options));
      throw new Fault('unexpected', `the staging folder ${shown(dir)} was committed or aborted before`, { operation: 'restore' });
    },
    abort: async () => {
      if (open) await ending(drop);
    },
  };
}

interface Staged {
  readonly journal: Journal;
  readonly head: RecordHead;
  readonly dir: Buffer;
  readonly drop: () => Promise<void>;
}

async function exchange(prepared: Prepared, staged: Staged, options: CommitOptions): Promise<Committed> {
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
    await staged.drop();
    throw swapFault(error, 'restore', `nothing was exchanged in ${shown(target.path)}`);
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
  }
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

/** Missing parents of a new target; those made are added to `made`, the outermost first. */
async function makeFolders(calls: FileCalls, folder: Buffer, made: Buffer[]): Promise<void> {
  if ((await look(calls, folder)) !== null) return;
  await makeFolders(calls, parentOf(folder), made);
  await calls.mkdir(folder, 0o755);
  made.push(folder);
}

/** A rename works on one file system only. */
async function refuseOtherFileSystem(calls: FileCalls, staging: Buffer, target: Buffer): Promise<void> {
  const [here, there] = [await calls.lstat(staging), await calls.lstat(target)];
  if (here.dev === there.dev) return;
  throw new Fault('unsupported', `${shown(staging)} and ${shown(target)} lie on different file systems`, { operation: 'restore' });
}
