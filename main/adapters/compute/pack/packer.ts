import { availableParallelism } from 'node:os';
import { Fault } from '../../../contract/faults.ts';
import type { Warning } from '../../../contract/reports.ts';
import type { ArchiveRef, PackBase, Packer, PackKept, PackTotals } from '../../../engine/archive/packer.ts';
import { openSpool, type FileSpool } from '../../files/spool.ts';
import { createFrameRingMemory, FrameRing } from '../frame-ring.ts';
import type { ThreadRequest } from '../thread-tasks.ts';
import { runThreads } from '../threads.ts';
import type { CountedAhead } from './look-ahead.ts';
import type { BaseTask, CompressorTask, OlderTask, ReaderTask, SealerTask, WorkerMessage } from './messages.ts';
import { OlderFetcher } from './older-fetcher.ts';
import { TargetUpload } from './target-upload.ts';
import { VolumeLinesOf } from './volume-lines.ts';

const progressEveryMs = 200;
const countAfterMs = 10_000;
/** More bring nothing: reading and sealing are one thread each. */
const maxCompressors = 8;

/** The real packer: one reader, a compressor for each core, a sealer for each target; this thread only hands full parts to the uploads. */
export function threadPacker(
  options: {
    readonly clockOffset?: number;
    readonly countAfterMs?: number;
    readonly onStarted?: () => void;
    readonly onSent?: (bytes: number) => void;
  } = {},
): Packer {
  return async (request, targets, run) => {
    const compressors = Math.min(availableParallelism(), maxCompressors);
    const partSizes = targets.map(({ partSize }) => partSize);
    const memory = createFrameRingMemory({ slots: compressors + 2, partSizes });
    const ring = new FrameRing(memory);
    const spool = openSpool();
    const contents = openSpool();
    const directory = openSpool();
    const firstNames = openSpool();
    const volumeSpool = openSpool();
    const volumeLines = new VolumeLinesOf(volumeSpool);
    const lists = request.base?.older ?? null;
    const older = lists === null ? null : new OlderFetcher(lists, ring.monitor);
    let totals: PackTotals | null = null;
    let ahead: CountedAhead | null = null;
    let kept: PackKept = { files: 0, bytes: 0 };
    let order: readonly ArchiveRef[] = [];
    let warnings: readonly Warning[] = [];
    let storedBytes = 0;
    let started = false;

    const tell = (): void => {
      const { files, bytes } = ring.counted;
      // A folder that has grown since: nobody can say any more.
      const isMore = ahead !== null && (files > ahead.files || bytes > ahead.bytes);
      const all = totals ?? (isMore ? null : ahead);
      run.onProgress?.({ phase: 'pack', files, bytes, totalFiles: all?.files ?? null, totalBytes: all?.bytes ?? null, storedBytes });
    };
    const uploads: readonly TargetUpload[] = targets.map(
      (target, index) =>
        new TargetUpload({
          target,
          parts: ring.partsOf(index),
          lines: volumeLines,
          onSent: (bytes) => {
            storedBytes += bytes;
            options.onSent?.(bytes);
          },
          // While one is left it is worth going on.
          onFault: () => {
            if (uploads.every(({ fault }) => fault !== null)) ring.monitor.stop();
          },
        }),
    );

    function onMessage(message: WorkerMessage): void {
      if (message.kind === 'read') {
        ({ totals, kept } = message);
        warnings = message.warnings;
      } else if (message.kind === 'counted') ahead = message;
      else if (message.kind === 'sealed') {
        spool.setSize(message.spoolSize);
        ({ order } = message);
      } else if (message.kind === 'volume-begin') {
        // By now all threads have started.
        if (!started) options.onStarted?.();
        started = true;
        uploads[message.target]?.begin();
      } else if (message.kind === 'part') uploads[message.target]?.part(message.slot, message.length);
      else if (message.kind === 'volume-end') uploads[message.target]?.end(message.archive, message.isLast);
      else if (message.kind === 'volume-lines') volumeLines.add(message.volume, message);
      // Parts go out meanwhile: this is not waited for.
      else if (message.kind === 'older') older?.ask(message.index);
    }

    const reader: ReaderTask = {
      ring: memory,
      root: request.root,
      excludes: request.excludes,
      format: request.format,
      volumeSize: request.volumeSize,
      clockOffset: options.clockOffset ?? 0,
      countAfterMs: options.countAfterMs ?? countAfterMs,
      contents: contents.handle,
      directory: directory.handle,
      firstNames: firstNames.handle,
      base: request.base === undefined ? null : baseTask(request.base, older?.task ?? null),
    };
    const compressor: CompressorTask = { ring: memory, level: request.level };
    const sealers = targets.map(({ seal }, target): SealerTask => ({
      ring: memory,
      target,
      seal,
      spools: target === 0 ? { manifest: spool.handle, volumes: volumeSpool.handle } : null,
      settled: request.base?.settled ?? 0,
    }));
    const timer = setInterval(tell, progressEveryMs);
    try {
      await runThreads(
        [
          { task: 'read', about: reader },
          ...Array.from({ length: compressors }, (): ThreadRequest => ({ task: 'compress', about: compressor })),
          ...sealers.map((about): ThreadRequest => ({ task: 'seal', about })),
        ],
        ring.monitor,
        (message) => onMessage(message as WorkerMessage),
        run.signal,
      );
      if (totals === null) throw new Fault('unexpected', 'the folder was not read to its end', { operation: 'pack' });
      const outcomes = await Promise.all(uploads.map((upload) => upload.settled(true)));
      const faults = outcomes.filter((outcome) => outcome instanceof Fault);
      if (faults.length === outcomes.length) throw faults[0] ?? new Fault('unexpected', 'there was no target', { operation: 'pack' });
      tell();
      return { totals, warnings, outcomes, entryLines: spool, order, kept };
    } catch (error) {
      volumeLines.end();
      await Promise.all(uploads.map((upload) => upload.settled(false)));
      await spool.dispose();
      // An upload's own fault says more than the stop it led to.
      const fault = uploads.every((upload) => upload.fault !== null) ? (uploads[0]?.fault ?? null) : (older?.failure ?? null);
      throw fault !== null && run.signal?.aborted !== true ? fault : error;
    } finally {
      clearInterval(timer);
      await older?.end();
      await contents.dispose();
      await directory.dispose();
      await firstNames.dispose();
      await volumeSpool.dispose();
    }
  };
}

/** Worker threads read a spool by its handle. */
function baseTask({ manifest, usable, settled, trustStamps, ignoreInode }: PackBase, older: OlderTask | null): BaseTask {
  const { handle, size } = manifest as FileSpool;
  return { manifest: { handle, size, name: 'last manifest' }, usable, settled, trustStamps, ignoreInode, older };
}
