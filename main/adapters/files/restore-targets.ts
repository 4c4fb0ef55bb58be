import { Fault } from '../../contract/faults.ts';
import { afterUndoing } from '../../engine/snapshots/after-undoing.ts';
import type { Committed, CommitOptions, PrepareRequest, RestoreTargets, Staging } from '../../engine/snapshots/restore-target.ts';
import { exchange } from './exchange.ts';
import type { Prepared } from './exchange.ts';
import type { FileCalls } from './file-calls.ts';
import { join, look, nodeFileCalls, parentOf, shown } from './file-calls.ts';
import { refuseWhenUsed } from './in-use.ts';
import type { Journal } from './journal.ts';
import { writeJournal } from './journal.ts';
import { nextRecord } from './kept-records.ts';
import { recoverLocked, recoverTarget } from './recovery.ts';
import { removeEmptyFolders } from './remove-tree.ts';
import type { TargetLock } from './restore-lock.ts';
import { lockTarget } from './restore-lock.ts';
import { journalPath, resolveTarget, stagingName } from './restore-places.ts';
import { refuseWhenFull } from './space.ts';
import type { RecordHead, SwapMode } from './swap-record.ts';
import { finishOld, swapFault } from './swap-run.ts';
import { checkTarget } from './target-checks.ts';

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
      await refuseWhenFull(calls, checked.exists ? target.path : target.existing, request.bytesNeeded, request.entriesNeeded);
      return await openStaging({ calls, checkUse, request, target, checked, lock, notes });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  return { recover: (target) => recoverTarget(calls, target), prepare };
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
    throw await afterUndoing(swapFault(error, 'restore', `no staging folder could be made at ${shown(dir)}`), drop);
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
    former: prepared.checked.hasContent ? prepared.target.path.toString() : null,
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
