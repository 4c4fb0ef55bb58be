/**
 * `npm run bench -- --looking`: one 1 MB file out of a snapshot of 10 GB, by requests and bytes, and every command that meets 1,000
 * snapshots, by memory. The data is made (made-snapshots.ts): what is read is what a real one would have read. All lies in the folder for
 * temporary files, takes a few hundred MB there, and is removed at the end.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nativeZstd } from '../../main/adapters/compute/zstd.ts';
import type { ManifestArchive } from '../../main/engine/snapshots/manifest.ts';
import { madeId, makePlace, sha256Of, writeArchive, writeMadeManifest, type MadeFile, type MadePlace } from './made-snapshots.ts';
import { holdfast, type Report, type Run } from './run-command.ts';
import { load, machine, millionRow, oneFileRows, tableOf, type Row } from './table.ts';
import { filesANight, nights, thousandNights, workAmongNights } from './thousand-nights.ts';

const tell = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const megabyte = 1_000_000;
const perFrame = 4;
const framesPerArchive = 250;
const archivesOfTen = 10;

/** 10 GB in 10,000 files of 1 MB that nothing makes smaller, in ten volumes. Settles to the one file that is really there. */
async function tenGigabytes(place: MadePlace): Promise<{ readonly path: string; readonly content: Buffer }> {
  const time = Date.now() - 60_000;
  const id = madeId(time);
  const contents = Array.from({ length: perFrame }, () => randomBytes(megabyte));
  const frame = Buffer.from(nativeZstd.compress(Buffer.concat(contents)));
  const there = { archive: 6, frame: 123, inFrame: 2 };
  const archives: ManifestArchive[] = [];
  const files: (MadeFile & { readonly number: number })[] = [];
  for (let archive = 0; archive < archivesOfTen; archive += 1) {
    const key = `ten/${id}${archive === 0 ? '' : `.${String(archive + 1).padStart(3, '0')}`}.holdfast`;
    const plain = framesPerArchive * frame.length;
    const found = archive === there.archive ? { at: there.frame * frame.length, bytes: frame } : undefined;
    archives.push({ ...writeArchive(place, key, plain, found), frames: framesPerArchive });
    for (let index = 0; index < framesPerArchive * perFrame; index += 1) {
      const inFrame = index % perFrame;
      const number = Math.floor(index / perFrame);
      const isIt = archive === there.archive && number === there.frame;
      files.push({
        number: files.length,
        path: `f${String(files.length).padStart(5, '0')}`,
        size: megabyte,
        extents: [[archive, number * frame.length, frame.length, inFrame * megabyte, megabyte]],
        ...(isIt ? { sha256: sha256Of(contents[inFrame] ?? frame) } : {}),
      });
    }
  }
  await writeMadeManifest(place, { id, slug: 'ten', time }, archives, files);
  const number = (there.archive * framesPerArchive + there.frame) * perFrame + there.inFrame;
  return { path: files[number]?.path ?? '', content: contents[there.inFrame] ?? frame };
}

const loadBefore = load();
const work = mkdtempSync(join(tmpdir(), 'holdfast-looking-'));
try {
  const place = await makePlace(join(work, 'place'));
  const access = ['-d', `folder:${place.folder}`];
  tell('Making a snapshot of 10 GB …');
  const one = await tenGigabytes(place);
  const target = join(work, 'back');
  const restored = holdfast(['restore', 'latest', '--server', 'ten', ...access, '--target', target, '--include', one.path], work);
  if (!readFileSync(join(target, one.path)).equals(one.content)) throw new Error(`${one.path} came back as something else`);
  const listed = holdfast(['ls', 'latest', '--server', 'ten', ...access], work);
  const ofBytes = archivesOfTen * framesPerArchive * perFrame * megabyte;
  const rows: Row[] = [
    ...oneFileRows({ reads: restored.backendReads, bytes: restored.backendBytes, ofBytes, seconds: restored.seconds }),
    {
      ...{
        what: 'list of its 10,000 files: bytes read',
        ours: `${listed.seconds.toFixed(2)} s, ${String(listed.backendReads)} reads`,
        peer: '',
      },
      ...{ result: `${(listed.backendBytes / 1e6).toFixed(1)} MB`, goal: '', met: null },
    },
  ];
  tell(`Making ${String(nights)} snapshots of ${String(filesANight)} files …`);
  await thousandNights(place);
  const commands = {
    usage: ['usage', '--cap', '1T'],
    'diff of the newest with itself': ['diff', 'latest', 'latest'],
    'find of one file': ['find', '*-file-00777.dat'],
    'find of all, up to the limit': ['find', '*'],
    'versions of one path': ['versions', 'folder-17-file-00777.dat'],
  };
  const ofNights = ['--server', 'nights', ...access];
  const add = (what: string, run: Run & Report): void => {
    rows.push(millionRow(`${what}, in 1,000 snapshots`, run));
    tell(`  ${what}: ${run.seconds.toFixed(1)} s, ${(run.peakRssBytes / 1e6).toFixed(0)} MB, ${String(run.backendReads)} reads`);
  };
  for (const [what, args] of Object.entries(commands)) add(what, holdfast([...args, ...ofNights], work));
  for await (const { what, run } of workAmongNights(work, ofNights)) add(what, run);
  tell(`\nOn:\n\n${machine(loadBefore)}\n\n${tableOf(rows)}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
