import { rootPath, type BytePath } from '../../../engine/archive/byte-path.ts';
import { compileExcludes } from '../../../engine/archive/exclude.ts';
import { isRestoresOwn } from '../../../engine/archive/own-files.ts';
import { FrameRing } from '../frame-ring.ts';
import { PathTable } from '../path-table.ts';
import { threadTask } from '../thread-task.ts';
import { walk } from '../../files/walk.ts';
import { entryCounter } from '../../system/release-memory.ts';
import { BaseEntries } from './base-entries.ts';
import { ContentIndex } from './content-index.ts';
import { ContentRecords } from './content-records.ts';
import { EntryReader } from './entry-reader.ts';
import { FirstNames } from './first-names.ts';
import { FrameWriter } from './frame-writer.ts';
import { LookAhead } from './look-ahead.ts';
import type { ReaderTask, WorkerMessage } from './messages.ts';
import { OlderContents } from './older-contents.ts';
import { volumeLimits, VolumeWriter } from './volume-writer.ts';
import { ZipDirectory } from './zip-directory.ts';

/** Walks the folder and reads every file straight into the ring's frames. */
export const task = threadTask('read', (task: ReaderTask, tell) => {
  const ring = new FrameRing(task.ring);
  const frames = new FrameWriter(ring);
  const volumes = new VolumeWriter(frames, new ZipDirectory(task.directory), volumeLimits(task.format, task.volumeSize));
  const base = task.base === null ? null : new BaseEntries(task.base);
  const olderTask = task.base?.older ?? null;
  const ask = (index: number): void => tell({ kind: 'older', index } satisfies WorkerMessage);
  const older = olderTask === null ? null : new OlderContents(olderTask, ring.monitor, ask);
  const reader = new EntryReader({
    ring,
    frames,
    volumes,
    firstNames: new FirstNames(new PathTable(task.firstNames)),
    format: task.format,
    volumeSize: task.volumeSize,
    clockOffset: task.clockOffset,
    base,
    // A classic archive has every file in itself.
    contents: task.format === 'classic' ? null : new ContentIndex(new ContentRecords(task.contents), base, older),
  });
  const excluded = compileExcludes(task.excludes);
  const leftOut = (path: BytePath, isDirectory: boolean): boolean => excluded(path, isDirectory) || isRestoresOwn(path);
  const entries = walk({
    root: task.root,
    // A file that stays where it is need not be opened.
    statFiles: task.base !== null,
    excluded: (path, isDirectory) => {
      if (excluded(path, isDirectory)) return true;
      if (!isRestoresOwn(path)) return false;
      reader.warnings.add('own-file', path, 'bears a name that restores keep for themselves and was left out', 'note');
      return true;
    },
    onError: (path, error) => reader.warnings.cannotRead(path, error),
  });
  const ahead = new LookAhead({
    // What cannot be looked at is told when the run comes to it.
    walk: () => walk({ root: task.root, statFiles: true, excluded: leftOut, onError: () => undefined }),
    afterMs: task.countAfterMs,
    stopped: () => ring.monitor.stopped,
    tell: (counted) => tell({ kind: 'counted', ...counted } satisfies WorkerMessage),
  });
  // On a slow line it waits for minutes at a time.
  ring.onCount = ring.monitor.onIdle = () => ahead.passed();
  const passed = entryCounter();
  for (const entry of entries) {
    reader.add(entry);
    passed();
    if (entry.path !== rootPath && ring.monitor.stopped) return;
  }
  // Where nothing is new there is no archive; a whole snapshot of empty folders has one all the same.
  if (!volumes.isEmpty || task.base === null) volumes.endVolume(true);
  frames.finish();
  tell({ kind: 'read', totals: reader.totals, kept: reader.kept, warnings: reader.warnings.list });
});
