import { Fault } from '../../../contract/faults.ts';
import type { UnpackRequest, UnpackResult, UnpackRun } from '../../../engine/archive/unpacker.ts';
import { openSpool } from '../../files/spool.ts';
import { Monitor, monitorWords } from '../monitor.ts';
import { runThreads } from '../threads.ts';
import type { Losses } from './losses.ts';
import type { PlanHandles } from './plan-records.ts';
import type { FinisherTask, LostLinksTask, ManifestFile, Planned, PlannerTask, UnpackMessage } from './messages.ts';

/** The steps of an unpacking that are one thread each and read the manifest: before the content is moved, and after it. */

/** Lays out what has to be read and where it goes. */
export async function plan(request: UnpackRequest, manifest: ManifestFile, handles: PlanHandles, run: UnpackRun): Promise<Planned> {
  const control = new SharedArrayBuffer(monitorWords * 4);
  const borrowed = openSpool();
  const task: PlannerTask = {
    control,
    handles,
    manifest,
    include: request.include,
    borrowed: borrowed.handle,
    archives: request.archives.map(({ frames }, archive) => ({ whole: request.whole(archive), seekTable: frames })),
    writes: request.staging !== null,
    verified: request.verified === undefined ? null : { files: request.verified.files.shared, archives: request.verified.archives },
  };
  let planned: Planned | null = null;
  try {
    await runThreads(
      [{ task: 'plan', about: task }],
      new Monitor(new Int32Array(control)),
      (message) => {
        planned = message as Planned;
      },
      run.signal,
    );
  } finally {
    await borrowed.dispose();
  }
  if (planned === null) throw new Fault('unexpected', 'the manifest was not read to its end', { operation: 'plan' });
  return planned;
}

/** Further names of the files that are lost. */
export async function lostLinks(manifest: ManifestFile, planned: Planned, run: UnpackRun): Promise<readonly string[]> {
  const control = new SharedArrayBuffer(monitorWords * 4);
  const task: LostLinksTask = { control, manifest, plan: planned.plan };
  let names: readonly string[] = [];
  await runThreads(
    [{ task: 'find-links', about: task }],
    new Monitor(new Int32Array(control)),
    (message) => {
      names = (message as Extract<UnpackMessage, { kind: 'lost-links' }>).names;
    },
    run.signal,
  );
  return names;
}

export type Finished = Pick<UnpackResult, 'root' | 'links' | 'folders'>;

/** Completes a tree whose files have been written. */
export async function finish(
  request: UnpackRequest,
  manifest: ManifestFile,
  planned: Planned,
  staging: string,
  losses: Losses,
  run: UnpackRun,
): Promise<Finished> {
  const control = new SharedArrayBuffer(monitorWords * 4);
  const holders = openSpool();
  const task: FinisherTask = {
    ...{ control, manifest, plan: planned.plan, include: request.include, holders: holders.handle },
    ...{ staging, owner: process.getuid?.() === 0 },
  };
  let done: Finished = { root: null, links: 0, folders: 0 };
  try {
    await runThreads(
      [{ task: 'finish', about: task }],
      new Monitor(new Int32Array(control)),
      (message) => {
        const { root, links, folders, lostLinks } = message as Extract<UnpackMessage, { kind: 'finished' }>;
        done = { root, links, folders };
        losses.loseLinks(lostLinks);
      },
      run.signal,
    );
  } finally {
    await holders.dispose();
  }
  return done;
}
