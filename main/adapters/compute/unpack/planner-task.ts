import { hash } from 'node:crypto';
import { Fault } from '../../../contract/faults.ts';
import { rootPath, type BytePath } from '../../../engine/archive/byte-path.ts';
import { compileIncludes } from '../../../engine/archive/exclude.ts';
import { isRestoresOwn } from '../../../engine/archive/own-files.ts';
import { maxFrameContent } from '../../../engine/archive/seek-table.ts';
import { fingerprintSize, VerifiedFiles } from '../../../engine/archive/verified-files.ts';
import { decodePieces } from '../../../engine/snapshots/file-pieces.ts';
import type { ManifestEntry } from '../../../engine/snapshots/manifest-entry.ts';
import { Monitor } from '../monitor.ts';
import { PathTable, pathKey } from '../path-table.ts';
import { threadTask } from '../thread-task.ts';
import { Column } from './column.ts';
import { ContentOrder, isStoredInOrder } from './content-order.ts';
import { dataOf } from './data-of-sparse.ts';
import { DiskNeeds, folderOf } from './disk-needs.ts';
import { manifestEntries } from './manifest-entries.ts';
import type { Planned, PlannerTask } from './messages.ts';
import { PlanBuilder, type Stretch } from './plan-builder.ts';

/** A compressed frame is hardly ever larger than its content; far beyond that no slot is made for it. */
const maxStoredFrame = maxFrameContent + 2 ** 20;

/** Reads the manifest once and lays out what has to be read and where it goes. Touches no file system but for the spool. */
export const task = threadTask('plan', (task: PlannerTask, tell) => {
  const monitor = new Monitor(new Int32Array(task.control));
  const plan = new PlanBuilder(task.handles);
  const ordered = new ContentOrder(task.handles.ordered);
  const selection = compileIncludes(task.include);
  const includes = (path: BytePath, isDirectory: boolean): boolean => !isRestoresOwn(path) && selection.includes(path, isDirectory);
  /** Content that is wanted only under a further name: by its first name the one that it is restored by. */
  const borrowed = new PathTable(task.borrowed);
  const verified = task.verified === null ? null : new VerifiedFiles(task.verified.files);
  const fingerprints = new Column('bytes');
  const known = { files: 0, bytes: 0 };
  let bytes = 0;
  const disk = new DiskNeeds();
  let files = 0;

  function addContent(entry: ManifestEntry, path: BytePath): void {
    bytes += entry.size;
    disk.addFile(entry.sparse === true ? dataOf(entry) : entry.size);
    if (entry.extents.length === 0) return;
    if (task.verified !== null) {
      const fingerprint = fingerprintOf(entry, task.verified.archives);
      if (verified?.has(fingerprint) === true) {
        known.files += 1;
        known.bytes += entry.size;
        return;
      }
      fingerprints.append(fingerprint);
    }
    const file = plan.addFile({
      path,
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      size: entry.size,
      mtimeNs: BigInt(entry.mtime),
      sparse: entry.sparse === true,
      sha256: entry.sha256 ?? '',
      extents: entry.extents.length,
      // What is only checked is read whole.
      pieces: task.writes ? decodePieces(entry.pieces, entry.size) : null,
    });
    addStretches(stretchesOf(entry, file));
  }

  function borrow(first: BytePath, path: BytePath): void {
    const key = pathKey(first);
    if (borrowed.find(key) === undefined) borrowed.add(key, path);
  }

  function stretchesOf({ extents }: ManifestEntry, file: number): readonly Stretch[] {
    let inFile = 0;
    return extents.map(([archive, offset, stored, inFrame, length]) => {
      if (archive >= task.archives.length || stored > maxStoredFrame || inFrame + length > maxFrameContent) {
        throw new Fault('corrupt', `${task.manifest.name}: an entry points to no place that can be`, { operation: 'plan' });
      }
      inFile += length;
      return { frame: { archive, offset, stored }, extent: { file, inFrame, length, inFile: inFile - length } };
    });
  }

  /** What is written is hashed where it lies in the end; what is only checked has to come in the order of its content. */
  function addStretches(stretches: readonly Stretch[]): void {
    if (task.writes || isStoredInOrder(stretches)) {
      for (const { frame, extent } of stretches) plan.addExtent(frame, extent);
      return;
    }
    ordered.add(stretches);
    // An archive whose frames nothing else tells of is read whole all the same.
    for (const { frame } of stretches) if (task.archives[frame.archive]?.whole === true) plan.addFrame(frame);
  }

  for (const entry of manifestEntries(task.manifest, monitor)) {
    if (entry.path === rootPath || !includes(entry.path, entry.type === 'directory')) continue;
    disk.leadTo(entry.type === 'directory' ? entry.path : folderOf(entry.path));
    if (entry.type === 'symlink') disk.addLinkOrFolder();
    if (entry.type !== 'file') continue;
    files += 1;
    if (entry.linkOf === undefined) addContent(entry, entry.path);
    else if (!includes(entry.linkOf, false)) borrow(entry.linkOf, entry.path);
  }
  if (borrowed.size > 0) {
    for (const entry of manifestEntries(task.manifest, monitor, 'file')) {
      const path = entry.linkOf === undefined ? borrowed.find(pathKey(entry.path)) : undefined;
      if (path !== undefined) addContent(entry, path);
    }
  }
  task.archives.forEach(({ seekTable }, archive) => {
    let offset = 0;
    for (const { stored } of seekTable ?? []) {
      plan.addFrame({ archive, offset, stored });
      offset += stored;
    }
  });
  const planned: Planned = {
    ...{ kind: 'planned', ...plan.build(ordered.build()), bytes, diskBytes: disk.bytes, diskEntries: disk.entries, files, known },
    fingerprints: fingerprints.shared,
  };
  tell(planned);
});

/** The path is not in it: what lies in the same place with the same hash is the same, whatever it is called. */
function fingerprintOf({ sha256, size, extents }: ManifestEntry, archives: readonly number[]): Buffer {
  const places = extents.map(([archive, ...place]) => [archives[archive], ...place]);
  return hash('sha256', JSON.stringify([sha256, size, places]), 'buffer').subarray(0, fingerprintSize);
}
