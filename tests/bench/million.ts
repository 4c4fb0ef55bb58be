/**
 * `npm run bench -- --million`: a folder of a million small files through every command, for the memory that each needs; then a
 * backup and a restore of as many links, folders and further names. The trees and all that comes of them lie in the folder for temporary files (about 15 GB, and five million inodes) and are removed at the end.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareTrees } from '../../scripts/try/compare.ts';
import { changeOneInEachFolder, killedBackup } from './cut-off-run.ts';
import { restic } from './round-trip.ts';
import { measureKinds } from './million-kinds.ts';
import { holdfast, password, run, versionOf } from './run-command.ts';
import { load, machine, millionRow, tableOf, unchangedRow } from './table.ts';
import type { Row } from './table.ts';
import { writeMillionFiles } from './tree.ts';

const tell = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const loadBefore = load();
const place = mkdtempSync(join(tmpdir(), 'holdfast-million-'));
try {
  const [tree, destination, restored] = [join(place, 'tree'), join(place, 'destination'), join(place, 'restored')];
  tell(`Making a million files in ${tree} …`);
  writeMillionFiles(tree);
  // Whatever changed within the last minute counts as changed once more, and the unchanged run would not be one.
  await sleep(62_000);
  const access = ['-d', `folder:${destination}`];
  const commands = {
    'full backup': ['backup', tree, ...access, '--server', 'million'],
    'unchanged second backup': ['backup', tree, ...access, '--server', 'million'],
    'list of all files': ['ls', 'latest', ...access],
    'list of all files, as JSON': ['ls', 'latest', '--json', ...access],
    verification: ['verify', 'latest', ...access],
    'full restore': ['restore', 'latest', ...access, '--target', restored],
  };
  const rows: Row[] = [];
  const measure = (what: string, args: readonly string[]): void => {
    const row = millionRow(what, holdfast(args, place));
    tell(`  ${what}: ${row.ours}, ${row.result}`);
    rows.push(row);
  };
  for (const [what, args] of Object.entries(commands)) measure(what, args);
  const { differences, files, bytes } = compareTrees(tree, restored);
  if (versionOf(restic, ['version']) === null)
    tell('restic is not installed: nothing is compared with it (RESTIC=/path/to/restic names one).');
  else {
    // Both once more, one after the other: the machine is as warm and as busy for the one as for the other.
    const env = { RESTIC_REPOSITORY: join(place, 'restic'), RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: join(place, 'restic-cache') };
    run(restic, ['-q', 'init'], env);
    run(restic, ['-q', 'backup', '.'], env, tree);
    const peer = run(restic, ['-q', 'backup', '.'], env, tree).seconds;
    const row = unchangedRow(holdfast(commands['unchanged second backup'], place).seconds, peer);
    tell(`  ${row.what}: ${row.ours}, ${row.peer}, ${row.result}`);
    rows.push(row);
  }
  // In small volumes: what is sent is one file in a hundred.
  const inVolumes = [...commands['unchanged second backup'], '--volume-size', '1M'];
  changeOneInEachFolder(tree);
  killedBackup(inVolumes, place, 3);
  measure('backup that goes on with a killed one', inVolumes);
  // Two snapshots of a million files each are there now.
  const [first = ''] = readdirSync(join(destination, 'million'))
    .filter((name) => name.endsWith('.manifest'))
    .toSorted();
  measure('difference of the two snapshots', ['diff', first.slice(0, -'.manifest'.length), 'latest', ...access]);
  measure('search in both for 10,000 files', ['find', 'file-0.txt', ...access]);
  measure('versions of one path', ['versions', 'part-99/folder-9999/file-99.txt', ...access]);
  measure('usage', ['usage', ...access]);
  measure('quick verification of both', ['verify', 'all', '--quick', ...access]);
  measure('restore of what differs: 10,000 files', ['restore', 'latest', ...access, '--target', restored, '--replace']);
  measure('prune that removes the first', ['prune', '--server', 'million', '--keep-last', '1', ...access]);
  rows.push(...measureKinds(place, tell));
  tell(`\n${files.toLocaleString('en-US')} files, ${(bytes / 1e9).toFixed(2)} GB, on:\n\n${machine(loadBefore)}\n\n${tableOf(rows)}`);
  tell(`\nDifferences after the round trip: ${String(differences.length)}.`);
} finally {
  rmSync(place, { recursive: true, force: true });
}
