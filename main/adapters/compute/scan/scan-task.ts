import { readlinkSync } from 'node:fs';
import { pathFromBytes } from '../../../engine/archive/byte-path.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { compileExcludes } from '../../../engine/archive/exclude.ts';
import { isRestoresOwn } from '../../../engine/archive/own-files.ts';
import { parseEntry } from '../../../engine/snapshots/read-entry.ts';
import type { ManifestEntry } from '../../../engine/snapshots/manifest-entry.ts';
import { entryStamps, isRacy } from '../../files/stamps.ts';
import { walk } from '../../files/walk.ts';
import type { WalkedEntry } from '../../files/walk.ts';
import { Monitor } from '../monitor.ts';
import { spoolLines } from '../spool-lines.ts';
import { threadTask } from '../thread-task.ts';
import type { Scanned, ScanTask } from './messages.ts';

/** Walks the folder beside the last manifest, which is in the same order, and stops at the first difference. Reads no file. */
export const task = threadTask('scan', (task: ScanTask, tell) => {
  const monitor = new Monitor(new Int32Array(task.control));
  let unreadable = false;
  const excluded = compileExcludes(task.excludes);
  const walked = walk({
    root: task.root,
    statFiles: true,
    excluded: (path, isDirectory) => isRestoresOwn(path) || excluded(path, isDirectory),
    onError: () => {
      unreadable = true;
    },
  });
  const now = Date.now() + task.clockOffset;
  const last = entries(task);
  let unchanged = true;
  for (const entry of walked) {
    if (monitor.stopped) return;
    // Left out of every snapshot, so never in the last one.
    if (entry.kind === 'other') continue;
    const known = last.next();
    unchanged = known.done !== true && same(entry, known.value, { now, ignoreInode: task.ignoreInode });
    if (!unchanged) break;
  }
  if (unchanged) unchanged = !unreadable && last.next().done === true;
  const scanned: Scanned = { kind: 'scanned', unchanged };
  tell(scanned);
});

function* entries(task: ScanTask): Generator<ManifestEntry, undefined> {
  let first = true;
  for (const line of spoolLines(task.manifest.handle, task.manifest.size)) {
    if (!first) yield parseEntry(line.toString('utf8'), task.manifest.name);
    first = false;
  }
}

function same(
  { path, kind: type, stat, file }: WalkedEntry,
  known: ManifestEntry,
  { now, ignoreInode }: { readonly now: number; readonly ignoreInode: boolean },
): boolean {
  if (stat === null || type === 'other') return false;
  if (path !== known.path || type !== known.type || known.racy === true) return false;
  const stamps = entryStamps(stat, type);
  if (
    stamps.size !== known.size ||
    stamps.mtime !== known.mtime ||
    stamps.ctime !== known.ctime ||
    (!ignoreInode && stamps.inode !== known.inode) ||
    stamps.mode !== known.mode ||
    stamps.uid !== known.uid ||
    stamps.gid !== known.gid ||
    isRacy(stat, now)
  ) {
    return false;
  }
  return type !== 'symlink' || targetOf(file) === known.target;
}

/** Null where the link is gone or something else by now: that is a change like any other. */
function targetOf(file: string | Buffer): BytePath | null {
  try {
    return pathFromBytes(readlinkSync(file, { encoding: 'buffer' }));
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return null;
    throw error;
  }
}
