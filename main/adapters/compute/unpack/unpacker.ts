import { availableParallelism } from 'node:os';
import { Fault } from '../../../contract/faults.ts';
import type { Unpacker, UnpackRequest, UnpackRun } from '../../../engine/archive/unpacker.ts';
import { fingerprintSize } from '../../../engine/archive/verified-files.ts';
import { openSpool } from '../../files/spool.ts';
import type { FileSpool } from '../../files/spool.ts';
import { runThreads } from '../threads.ts';
import type { ThreadSpec } from '../threads.ts';
import { Losses } from './losses.ts';
import type { CheckerTask, ExtractorTask, ManifestFile, OpenerTask, Planned, ReadRun, UnpackMessage } from './messages.ts';
import { Plan } from './plan.ts';
import { finish, lostLinks, plan, type Finished } from './manifest-steps.ts';
import { readRuns } from './read-runs.ts';
import { createUnpackRingMemory, inputSize, UnpackRing } from './unpack-ring.ts';

const progressEveryMs = 200;
/** The kernel's file creation is the limit: a third one brings nothing and costs memory. */
const maxExtractors = 2;
const slots = 6;

/** The real unpacker: plan, then read, open and extract side by side, then finish. This thread only fetches the stored bytes. */
export const threadUnpacker: Unpacker = async (request, run) => {
  const manifest = await handleOf(request);
  const directories = openSpool();
  const spools = { files: openSpool(), paths: openSpool(), extents: openSpool() };
  try {
    const handles = { files: spools.files.handle, paths: spools.paths.handle, extents: spools.extents.handle };
    const planned = await plan(request, manifest.file, handles, run);
    const staging =
      request.staging === null ? null : await request.staging({ files: planned.files, bytes: planned.bytes, diskBytes: planned.diskBytes });
    const layout = new Plan(planned.plan);
    const losses = new Losses(layout);
    const sha256 = await moveContent(request, run, { planned, layout, losses, staging, directories });
    let finished: Finished = { root: null, others: 0 };
    for (let file = 0; file < layout.files; file += 1) if (layout.isDamaged(file)) losses.loseFile(file);
    addVerified(request, planned, layout);
    if (losses.any && !request.tolerant) throw damageFault(request, losses);
    if (staging === null && losses.any) losses.loseLinks(await lostLinks(manifest.file, planned, run));
    if (staging !== null) finished = await finish(request, manifest.file, planned, staging, losses, run);
    return {
      files: planned.files - losses.files.length,
      bytes: planned.bytes - losses.bytes,
      ...finished,
      damage: losses.damage,
      damagedFiles: losses.files,
      sha256,
    };
  } finally {
    for (const spool of [directories, ...Object.values(spools), manifest]) await spool.dispose();
  }
};

/** After all of it has been read: what is not damaged is as its entry says. */
function addVerified({ verified, staging }: UnpackRequest, { fingerprints }: Planned, layout: Plan): void {
  if (verified === undefined || staging !== null) return;
  const bytes = Buffer.from(fingerprints);
  for (let file = 0; file < layout.files; file += 1) {
    if (!layout.isDamaged(file)) verified.files.add(bytes.subarray(file * fingerprintSize, (file + 1) * fingerprintSize));
  }
}

/** Worker threads read a spool by its handle; one that has none is copied into one that has. */
async function handleOf(request: UnpackRequest): Promise<{ file: ManifestFile; dispose(): Promise<void> }> {
  const spool = request.manifest as Partial<FileSpool> & UnpackRequest['manifest'];
  if (spool.handle !== undefined) {
    return { file: { handle: spool.handle, size: spool.size, name: request.manifestName }, dispose: async () => {} };
  }
  const copy = openSpool();
  for await (const piece of spool.read()) await copy.append(piece);
  return { file: { handle: copy.handle, size: copy.size, name: request.manifestName }, dispose: () => copy.dispose() };
}

interface Work {
  readonly planned: Planned;
  readonly layout: Plan;
  readonly losses: Losses;
  readonly staging: string | null;
  readonly directories: FileSpool;
}

async function moveContent(request: UnpackRequest, run: UnpackRun, work: Work): Promise<(string | null)[]> {
  const { planned, layout, losses, staging } = work;
  const sha256: (string | null)[] = request.archives.map(() => null);
  const sizes = request.archives.map(({ size }) => size);
  const runs = readRuns(layout, sizes, (archive) => request.whole(archive));
  if (runs.length === 0) return sha256;
  let slotSize = 1;
  for (let frame = 0; frame < layout.frames; frame += 1) slotSize = Math.max(slotSize, layout.frame(frame).stored);
  const ring = createUnpackRingMemory({ slots, slotSize });
  const view = new UnpackRing(ring);
  const opener: OpenerTask = {
    ring,
    plan: planned.plan,
    runs,
    archives: request.archives.map(({ keys, head }) => ({ keys, head })),
    tolerant: request.tolerant,
  };
  const threads: ThreadSpec[] = [{ script: new URL('./opener-worker.ts', import.meta.url), task: opener }];
  if (staging === null) {
    const checker: CheckerTask = { ring, plan: planned.plan, ...(await spoolDirectories(request, work.directories)) };
    threads.push({ script: new URL('./checker-worker.ts', import.meta.url), task: checker });
  } else {
    const owner = process.getuid?.() === 0;
    const extractor: ExtractorTask = { ring, plan: planned.plan, staging, owner };
    const count = Math.min(availableParallelism(), maxExtractors);
    for (let index = 0; index < count; index += 1) {
      threads.push({ script: new URL('./extractor-worker.ts', import.meta.url), task: extractor });
    }
  }

  function onMessage(message: UnpackMessage): void {
    if (message.kind === 'damage') losses.damage.push(message.damage);
    else if (message.kind === 'lost-frame') losses.loseFrame(message.frame);
    else if (message.kind === 'lost-file') losses.loseFile(message.file);
    else if (message.kind === 'hashed') sha256[message.archive] = message.sha256;
  }

  let storedBytes = 0;
  const tell = (): void => {
    const phase = staging === null ? 'check' : 'download';
    const counted = { files: view.counted.files + planned.known.files, bytes: view.counted.bytes + planned.known.bytes };
    run.onProgress?.({ phase, ...counted, totalFiles: planned.files, totalBytes: planned.bytes, storedBytes });
  };
  const timer = setInterval(tell, progressEveryMs);
  let failure: unknown;
  const feeding = feed(request, runs, view, (bytes) => {
    storedBytes += bytes;
  }).catch((error: unknown) => {
    // Stopped by the threads: theirs is the fault that counts.
    if (!view.monitor.stopped) failure = error;
    view.monitor.stop();
  });
  try {
    await runThreads(threads, view.monitor, (message) => onMessage(message as UnpackMessage), run.signal);
    tell();
  } catch (error) {
    view.monitor.stop();
    await feeding;
    if (!request.tolerant && losses.damage.length > 0 && run.signal?.aborted !== true) throw damageFault(request, losses);
    throw failure !== undefined && run.signal?.aborted !== true ? failure : error;
  } finally {
    clearInterval(timer);
  }
  await feeding;
  return sha256;
}

/** Fetches run after run and copies it into the input slots. */
async function feed(request: UnpackRequest, runs: readonly ReadRun[], ring: UnpackRing, onBytes: (bytes: number) => void): Promise<void> {
  let input = 0;
  for (const { archive, offset, length } of runs) {
    let slot: Buffer | null = null;
    let filled = 0;
    for await (const piece of await request.read(archive, { offset, length })) {
      onBytes(piece.length);
      for (let at = 0; at < piece.length;) {
        if (slot === null) {
          const next = input;
          await ring.monitor.whenTrue(() => ring.inputFree(next));
          slot = ring.input(input);
        }
        const take = Math.min(inputSize - filled, piece.length - at);
        slot.set(piece.subarray(at, at + take), filled);
        filled += take;
        at += take;
        if (filled < inputSize) continue;
        ring.fillInput(input, filled, false);
        input += 1;
        slot = null;
        filled = 0;
      }
    }
    const next = input;
    await ring.monitor.whenTrue(() => ring.inputFree(next));
    ring.fillInput(input, filled, true);
    input += 1;
  }
}

async function spoolDirectories(request: UnpackRequest, spool: FileSpool): Promise<Pick<CheckerTask, 'directories' | 'directorySpool'>> {
  const directories: ({ offset: number; length: number } | null)[] = [];
  for (let archive = 0; archive < request.archives.length; archive += 1) {
    const offset = spool.size;
    const isThere = await request.directory(archive, (piece) => spool.append(piece));
    directories.push(isThere ? { offset, length: spool.size - offset } : null);
  }
  return { directories, directorySpool: spool.handle };
}

function damageFault(request: UnpackRequest, losses: Losses): Fault {
  const [first] = losses.damage;
  const [file] = losses.files;
  const object = first === undefined ? request.manifestName : (request.archives[first.archive]?.key ?? '');
  const what = first?.message ?? 'a file is not what was backed up';
  const files = file === undefined ? '' : `; first file hit: ${file.path} (of ${losses.files.length})`;
  const context = {
    object,
    ...(first?.range ? { offset: first.range[0], length: first.range[1] } : {}),
    ...(file === undefined ? {} : { file: file.path }),
  };
  return new Fault(first?.kind === 'truncated' ? 'truncated' : 'corrupt', `${object}: ${what}${files}`, { operation: 'restore', context });
}
