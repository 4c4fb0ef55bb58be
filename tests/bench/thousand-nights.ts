import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ManifestArchive } from '../../main/engine/snapshots/manifest.ts';
import { madeId, sha256Of, writeArchive, writeMadeManifest, type MadeFile, type MadePlace } from './made-snapshots.ts';
import { holdfast, type Report, type Run } from './run-command.ts';

export const nights = 1000;
export const filesANight = 2000;
/** So many of the newest archives each manifest names, as after a month of hourly runs; and of so many of the oldest the own manifest has gone: their entries have to be read. */
const shared = 720;
const removed = 100;

const megabyte = 1_000_000;
const fileBytes = 2000;
const pathOf = (index: number): string => `folder-${String(index % 20).padStart(2, '0')}-file-${String(index).padStart(5, '0')}.dat`;

/** 1,000 snapshots of the server `nights`, which share archives. */
export async function thousandNights(place: MadePlace): Promise<void> {
  const archives: ManifestArchive[] = [];
  for (let night = 0; night < nights + removed; night += 1) {
    const time = Date.now() - (nights + removed - night) * 3_600_000;
    const id = madeId(time);
    const archive = writeArchive(place, `nights/${id}.holdfast`, 5 * megabyte);
    writeFileSync(join(place.folder, `${archive.key}.sha256`), `${archive.sha256}  ${id}.holdfast\n`);
    archives.push(archive);
    if (night < removed) continue;
    const named = archives.slice(-shared);
    const files = Array.from({ length: filesANight }, (_, index): MadeFile => {
      // Most are as they were the night before, and one in ten is new.
      const isNew = index % 10 === night % 10;
      const from = isNew ? named.length - 1 : index % named.length;
      return {
        path: pathOf(index),
        size: fileBytes,
        extents: [[from, (index % 100) * 50_000, 50_000, 0, fileBytes]],
        ...(isNew ? {} : { sha256: sha256Of(Buffer.from(String(index))) }),
      };
    });
    const inOrder = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    await writeMadeManifest(place, { id, slug: 'nights', time }, named, inOrder);
  }
}

export interface NightCommand {
  readonly what: string;
  readonly run: Run & Report;
}

/** The commands that make, keep and bring back snapshots, of a folder in `work` that has the same paths, among those that are there. `access`: where they are, and of which server. */
export async function* workAmongNights(work: string, access: readonly string[]): AsyncGenerator<NightCommand> {
  const folder = join(work, 'nights');
  mkdirSync(folder);
  const write = (every: number): void => {
    for (let index = 0; index < filesANight; index += every) writeFileSync(join(folder, pathOf(index)), randomBytes(fileBytes));
  };
  const run = (what: string, args: readonly string[]): NightCommand => ({ what, run: holdfast([...args, ...access], work) });
  write(1);
  // Whatever changed within the last minute counts as changed once more, and the unchanged run would not be one.
  await sleep(62_000);
  // The snapshots that are there are another machine's.
  yield run('backup, all files changed', ['backup', folder, '--take-over']);
  yield run('backup, nothing changed', ['backup', folder]);
  write(10);
  yield run('backup, one file in ten changed', ['backup', folder]);
  yield run('list of the snapshots', ['snapshots']);
  yield run('prune, dry run', ['prune', '--keep-daily', '7', '--dry-run']);
  yield run('quick verification of all', ['verify', 'all', '--quick']);
  yield run('restore of the newest', ['restore', 'latest', '--target', join(work, 'nights-back')]);
}
