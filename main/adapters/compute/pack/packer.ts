import { availableParallelism } from 'node:os';
import { Fault } from '../../../contract/faults.ts';
import type { Warning } from '../../../contract/reports.ts';
import type { PackedArchive, Packer, PackTotals, VolumeUpload } from '../../../engine/archive/packer.ts';
import { openSpool } from '../../files/spool.ts';
import { createFrameRingMemory, FrameRing } from '../frame-ring.ts';
import { runThreads } from '../threads.ts';
import type { CompressorTask, ReaderTask, SealerTask, WorkerMessage } from './messages.ts';

const progressEveryMs = 200;
const partsInMemory = 4;
/** More bring nothing: reading and sealing are one thread each. */
const maxCompressors = 8;

/** The real packer: one reader, a compressor for each core, one sealer; this thread only hands full parts to the upload. */
export function threadPacker(options: { readonly clockOffset?: number } = {}): Packer {
  return async (request, beginVolume, run) => {
    const compressors = Math.min(availableParallelism(), maxCompressors);
    const memory = createFrameRingMemory({ slots: compressors + 2, parts: partsInMemory, partSize: request.partSize });
    const ring = new FrameRing(memory);
    const spool = openSpool();
    const archives: PackedArchive[] = [];
    let totals: PackTotals | null = null;
    let warnings: readonly Warning[] = [];
    let upload: VolumeUpload | null = null;
    let sent: Promise<void>[] = [];
    let storedBytes = 0;

    const tell = (): void => {
      const { files, bytes } = ring.counted;
      run.onProgress?.({ phase: 'pack', files, bytes, totalFiles: totals?.files ?? null, totalBytes: totals?.bytes ?? null, storedBytes });
    };

    async function onMessage(message: WorkerMessage): Promise<void> {
      if (message.kind === 'read') {
        totals = message.totals;
        warnings = message.warnings;
      } else if (message.kind === 'volume-begin') {
        upload = await beginVolume();
      } else if (message.kind === 'part' && upload !== null) {
        const part = upload.write(ring.part(message.slot).subarray(0, message.length)).then(() => {
          storedBytes += message.length;
          ring.setPartBusy(message.slot, false);
        });
        // A part that fails never frees its slot: without this the sealer would wait for it for ever.
        part.catch(() => ring.monitor.stop());
        sent.push(part);
      } else if (message.kind === 'volume-end' && upload !== null) {
        await Promise.all(sent);
        sent = [];
        await upload.finish(message.archive);
        upload = null;
        archives.push(message.archive);
      } else if (message.kind === 'sealed') {
        spool.setSize(message.spoolSize);
      }
    }

    const format = request.seal.format;
    const reader: ReaderTask = {
      ring: memory,
      root: request.root,
      excludes: request.excludes,
      format,
      volumeSize: request.volumeSize,
      clockOffset: options.clockOffset ?? 0,
    };
    const compressor: CompressorTask = { ring: memory, level: request.level };
    const sealer: SealerTask = { ring: memory, seal: request.seal, spool: spool.handle };
    const timer = setInterval(tell, progressEveryMs);
    try {
      await runThreads(
        [
          { script: new URL('./reader-worker.ts', import.meta.url), task: reader },
          ...Array.from({ length: compressors }, () => ({ script: new URL('./compressor-worker.ts', import.meta.url), task: compressor })),
          { script: new URL('./sealer-worker.ts', import.meta.url), task: sealer },
        ],
        ring.monitor,
        (message) => onMessage(message as WorkerMessage),
        run.signal,
      );
      if (totals === null) throw new Fault('unexpected', 'the folder was not read to its end', { operation: 'pack' });
      tell();
      return { totals, warnings, archives, entryLines: spool };
    } catch (error) {
      const failedPart = (await Promise.allSettled(sent)).find((part) => part.status === 'rejected');
      await (upload as VolumeUpload | null)?.abort();
      await spool.dispose();
      // The upload's own fault says more than the stop it led to.
      throw failedPart?.status === 'rejected' && !run.signal?.aborted ? failedPart.reason : error;
    } finally {
      clearInterval(timer);
    }
  };
}
