/**
 * `npm run bench -- --clouds-memory [--quick] [PROVIDER…]`: the memory of whole commands, `backup` of 2 GB that nothing makes smaller and `restore` of it, on each
 * of the four clouds: OpenStack Swift (S3), and the tests' servers in processes of their own. Prints a table; a missed goal is marked, never an error.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { compareTrees } from '../../scripts/try/compare.ts';
import { makeBucket } from '../support/s3/destinations.ts';
import { startSwift, swiftKeys, swiftMissing } from '../support/s3/swift.ts';
import { cache, fresh } from './run-command.ts';
import { withStrictCloud, type CommandPlace } from './strict-cloud.ts';
import { load, machine, tableOf, type Row } from './table.ts';
import { gigabytes, tell } from './transfer.ts';
import { megabyteFiles } from './tree.ts';
import { watched, type Watched } from './watched-command.ts';

const only = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const wanted = (provider: string): boolean => only.length === 0 || only.includes(provider);
const quick = process.argv.includes('--quick');
const files = quick ? 200 : 2000;
const rounds = quick ? 1 : 2;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

async function onSwift(use: (place: CommandPlace) => Promise<void>): Promise<void> {
  if (swiftMissing !== '') {
    tell(`S3 is left out: ${swiftMissing}`);
    return;
  }
  const swift = await startSwift();
  try {
    const bucket = await makeBucket(swift.endpoint);
    await use({
      before: `s3:${bucket}/`,
      behind: `?endpoint=${swift.endpoint}`,
      env: {
        AWS_ACCESS_KEY_ID: swiftKeys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: swiftKeys.secretAccessKey,
        // A machine that asks a cloud for keys must not do so here.
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    });
  } finally {
    swift.stop();
  }
}

function row(what: string, runs: readonly Watched[]): Row {
  const most = (of: (run: Watched) => number): number => Math.max(...runs.map(of));
  const [peak, proportional] = [most(({ peakBytes }) => peakBytes), most(({ proportionalBytes }) => proportionalBytes)];
  return {
    ...{ what, ours: `${most(({ seconds }) => seconds).toFixed(1)} s, Pss ${megabytes(proportional)}`, peer: '' },
    ...{ result: megabytes(peak), goal: '≤ 250 MB', met: peak <= 250e6 },
  };
}

/** The worst of the rounds after one of a single file, in which Node compiles what it has not yet. */
async function measure(name: string, { before, behind = '', env }: CommandPlace, tree: string, warm: string): Promise<readonly Row[]> {
  const backups: Watched[] = [];
  const restores: Watched[] = [];
  for (let round = 0; round <= rounds; round++) {
    const source = round === 0 ? warm : tree;
    const target = fresh('clouds-restored');
    // Each round has a place of its own, so that each sends all.
    const access = ['-d', `${before}round-${String(round)}${behind}`];
    const backup = await watched(['backup', source, ...access, '--server', 'bench'], env);
    const restore = await watched(['restore', 'latest', ...access, '--target', target], env);
    const { differences } = compareTrees(source, target);
    rmSync(target, { recursive: true });
    if (differences.length > 0) throw new Error(`${name}: ${String(differences.length)} differences after the round trip`);
    if (round === 0) continue;
    backups.push(backup);
    restores.push(restore);
    tell(`${name}, round ${round}: ${megabytes(backup.peakBytes)} and ${megabytes(restore.peakBytes)}`);
  }
  return [row(`backup to ${name}`, backups), row(`restore from ${name}`, restores)];
}

const loadBefore = load();
mkdirSync(cache, { recursive: true });
tell('Making the generated trees (kept in .cache/bench) …');
const [tree, warm] = [megabyteFiles(cache, files), megabyteFiles(cache, 1)];
const rows: Row[] = [];
if (wanted('s3')) {
  await onSwift(async (place) => {
    rows.push(...(await measure('S3', place, tree, warm)));
  });
}
for (const [provider, name] of [
  ['google-drive', 'Google Drive'],
  ['dropbox', 'Dropbox'],
  ['backblaze-b2', 'B2'],
] as const) {
  if (wanted(provider)) rows.push(...(await withStrictCloud(provider, ({ command }) => measure(name, command, tree, warm))));
}
tell(`\n${gigabytes(files * 1e6)} in ${files.toLocaleString('en-US')} files, on:\n\n${machine(loadBefore)}\n\n${tableOf(rows)}`);
