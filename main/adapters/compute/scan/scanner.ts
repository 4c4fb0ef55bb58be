import { Fault } from '../../../contract/faults.ts';
import type { SourceScan } from '../../../engine/snapshots/source.ts';
import type { FileSpool } from '../../files/spool.ts';
import { Monitor, monitorWords } from '../monitor.ts';
import { runThreads } from '../threads.ts';
import type { Scanned, ScanTask } from './messages.ts';

/** The real scan: one worker thread that walks and compares. */
export function threadScan(options: { readonly clockOffset?: number } = {}): SourceScan {
  return async (request) => {
    const control = new SharedArrayBuffer(monitorWords * 4);
    const { handle, size } = request.manifest as FileSpool;
    const task: ScanTask = {
      control,
      manifest: { handle, size, name: 'last manifest' },
      root: request.root,
      excludes: request.excludes,
      ignoreInode: request.ignoreInode === true,
      clockOffset: options.clockOffset ?? 0,
    };
    let unchanged: boolean | null = null;
    await runThreads(
      [{ task: 'scan', about: task }],
      new Monitor(new Int32Array(control)),
      (message) => {
        unchanged = (message as Scanned).unchanged;
      },
      request.signal,
    );
    if (unchanged === null) throw new Fault('unexpected', 'the folder was not looked at to its end', { operation: 'scan' });
    return unchanged;
  };
}
