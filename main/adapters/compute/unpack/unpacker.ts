import type { Unpacker, UnpackRequest } from '../../../engine/archive/unpacker.ts';
import { fingerprintSize } from '../../../engine/archive/verified-files.ts';
import { openSpool } from '../../files/spool.ts';
import type { FileSpool } from '../../files/spool.ts';
import { contentWindow } from './content-order.ts';
import { damageFault } from './damage-fault.ts';
import { fetchAgain } from './fetch-again.ts';
import { keepFormer, nothingKept, type KeptCount } from './keep-former.ts';
import { Losses } from './losses.ts';
import { finish, lostLinks, plan, type Finished } from './manifest-steps.ts';
import type { ManifestFile, Planned } from './messages.ts';
import { moveContent, type Count } from './move-content.ts';
import { Plan } from './plan.ts';
import { readRuns } from './read-runs.ts';

/** The real unpacker: plan, then read, open and extract side by side, then finish. */
export const threadUnpacker: Unpacker = async (request, run) => {
  const manifest = await handleOf(request);
  const directories = openSpool();
  const spools = { files: openSpool(), paths: openSpool(), extents: openSpool(), ordered: openSpool(), pieces: openSpool() };
  try {
    const { files, paths, extents, ordered, pieces } = spools;
    const handles = {
      ...{ files: files.handle, paths: paths.handle, extents: extents.handle },
      ...{ ordered: ordered.handle, pieces: pieces.handle },
    };
    const planned = await plan(request, manifest.file, handles, run);
    const place = request.staging === null ? null : await request.staging(planned);
    const staging = place?.dir ?? null;
    const former = place?.former ?? null;
    const kept = staging === null || former === null ? nothingKept : await keepFormer(planned, { former, staging }, run);
    const layout = new Plan(planned.plan);
    const losses = new Losses(layout);
    const sizes = request.archives.map(({ size }) => size);
    const sha256: (string | null)[] = request.archives.map(() => null);
    const unlike = new Set<number>();
    const stored = {
      ...{ plan: planned.plan, planned, losses },
      runs: readRuns(layout, sizes, (archive) => request.whole(archive), kept.spares),
      to: staging === null ? { window: 0, directories } : { staging },
      done: { files: planned.known.files + kept.files, bytes: planned.known.bytes + kept.bytes, storedBytes: 0 },
      onHash: (archive: number, hex: string) => {
        sha256[archive] = hex;
      },
      onUnlike: (file: number) => {
        unlike.add(file);
      },
    };
    let done: Count = await moveContent(request, run, stored);
    let fromFormer: KeptCount = kept;
    if (unlike.size > 0) {
      ({ done, kept: fromFormer } = await fetchAgain(request, run, { ...stored, done }, { files: unlike, kept }));
    }
    if (planned.ordered !== null) {
      const runs = readRuns(new Plan(planned.ordered), sizes, () => false);
      done = await moveContent(request, run, {
        ...{ plan: planned.ordered, planned, losses, runs, done },
        to: { window: contentWindow, directories: null },
      });
    }
    let finished: Finished = { root: null, links: 0, folders: 0 };
    for (let file = 0; file < layout.files; file += 1) if (layout.isDamaged(file)) losses.loseFile(file);
    if (staging === null) losses.placeWrongContent(planned.ordered === null ? [layout] : [layout, new Plan(planned.ordered)], sizes);
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
      kept: { files: fromFormer.files, parts: fromFormer.parts, bytes: fromFormer.bytes },
      storedBytes: done.storedBytes,
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
