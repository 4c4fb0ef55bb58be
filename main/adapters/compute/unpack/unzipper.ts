import { Fault } from '../../../contract/faults.ts';
import type { UnpackNeeds, Unzipper, UnzipRequest, UnpackRun } from '../../../engine/archive/unpacker.ts';
import type { FileSpool } from '../../files/spool.ts';
import { Monitor, monitorWords } from '../monitor.ts';
import { runThreads } from '../threads.ts';
import type { UnzipTask } from './unzip-task.ts';

type Unzipped = UnpackNeeds & Awaited<ReturnType<Unzipper>>;

/** The real unzipper: counts first, so that the space can be checked before anything is written. */
export const threadUnzipper: Unzipper = async (request, run) => {
  if (request.staging === null) return unzip(request, 'check', run);
  const needs = await unzip(request, 'count', run);
  return unzip(request, { staging: await request.staging(needs) }, run);
};

async function unzip(request: UnzipRequest, purpose: UnzipTask['purpose'], run: UnpackRun): Promise<Unzipped> {
  const control = new SharedArrayBuffer(monitorWords * 4);
  const { handle, size } = request.zip as FileSpool;
  const task: UnzipTask = { control, handle, size, include: request.include, purpose, owner: process.getuid?.() === 0 };
  let result: Unzipped | null = null;
  await runThreads(
    [{ task: 'unzip', about: task }],
    new Monitor(new Int32Array(control)),
    (message) => {
      result = message as unknown as Unzipped;
    },
    run.signal,
  );
  if (result === null) throw new Fault('unexpected', 'the ZIP was not read to its end', { operation: 'unzip' });
  return result;
}
