/**
 * `npm run try [-- FOLDER]`: backs a real folder up, brings it back and compares the two. Only reads the folder; writes only to ./try/.
 * Ends with 1 on any difference.
 */
import { randomInt } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, statfsSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';
import { count, formatDuration, formatSize } from '../main/headless/units.ts';
import { chooseFolder, measure } from './try/choose-folder.ts';
import type { TreeSize } from './try/choose-folder.ts';
import { CommandFailed, holdfast, holdfastJson, stateFolder } from './try/command.ts';
import { compareTrees } from './try/compare.ts';
import { bytesBehindNewest, type StoredRow } from './try/stored-bytes.ts';

const root = join(import.meta.dirname, '..');
const place = join(root, 'try');
const passwordFile = join(place, 'password');
const target = 'try/restored';
const destination = ['-d', 'folder:try/destination'];
const maxShown = 20;

class CannotTry extends Error {
  override readonly name = 'CannotTry';
}

const isFancy = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const bold = (text: string): string => (isFancy ? `\u001b[1m${text}\u001b[22m` : text);
const say = (text = ''): void => {
  process.stdout.write(`${text}\n`);
};

interface Source {
  readonly folder: string;
  readonly size: TreeSize;
}

/** The root ends in a separator as it is. */
const isIn = (path: string, folder: string): boolean => `${path}${sep}`.startsWith(folder === sep ? sep : `${folder}${sep}`);

function findSource(argument: string | undefined): Source {
  if (argument === undefined) return chooseFolder();
  // npm changes to the project's folder and says here where it was called.
  const folder = resolve(process.env['INIT_CWD'] ?? process.cwd(), argument);
  if (!existsSync(folder) || !lstatSync(realpathSync(folder)).isDirectory()) throw new CannotTry(`${folder} is not a folder.`);
  const real = realpathSync(folder);
  if (isIn(place, real) || isIn(real, place)) {
    throw new CannotTry(`The trial writes to ${place}, so it cannot back up ${folder}. Name a folder apart from it.`);
  }
  const size = measure(real);
  if (size === null || size.files === 0) throw new CannotTry(`There are no files in ${folder}.`);
  return { folder: real, size };
}

/** Kept between runs: the destination of the first run opens with the same one. */
function password(): string {
  mkdirSync(place, { recursive: true, mode: 0o700 });
  if (!existsSync(passwordFile)) {
    const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
    const text = Array.from({ length: 20 }, () => letters[randomInt(letters.length)]).join('');
    writeFileSync(passwordFile, `${(text.match(/.{5}/g) ?? []).join('-')}\n`, { mode: 0o600 });
  }
  return readFileSync(passwordFile, 'utf8').trim();
}

function checkSpace({ size }: Source): void {
  const { bavail, bsize } = statfsSync(place);
  const [free, needed] = [bavail * bsize, size.bytes * 2.5];
  if (free < needed) throw new CannotTry(`${place} has ${formatSize(free)} free; this takes up to ${formatSize(needed)}.`);
}

function speed(bytes: number, ms: number): string {
  return `${formatDuration(ms)}, ${formatSize(Math.round(bytes / (ms / 1000)))} a second`;
}

function tryIt(source: Source): boolean {
  const { folder, size } = source;
  const server = basename(folder);
  const secret = password();
  checkSpace(source);
  const access = [...destination, '--password-file', relative(root, passwordFile)];
  const ofServer = [...access, '--server', server];

  say(
    `${bold('Holdfast backs up')} ${folder} (${count(size.files, 'file')}, ${formatSize(size.bytes)}), brings it back and compares the two.`,
  );
  say('The folder is only read. Everything written goes to ./try/. The commands below are real; you can type them too.');
  say(`\n  $ export HOLDFAST_STATE_DIR=${stateFolder}   # locks and the like, else in the home folder`);

  say(`\n${bold('1  Back up')}: compressed, encrypted on this machine, then stored`);
  const backupMs = holdfast(['backup', folder, ...ofServer]);
  const stored = bytesBehindNewest(holdfastJson(['snapshots', ...ofServer]) as readonly StoredRow[]);

  say(`\n${bold('2  List')} the snapshots`);
  holdfast(['snapshots', ...ofServer]);

  say(`\n${bold('3  Verify')}: read and check every stored byte`);
  const verifyMs = holdfast(['verify', 'latest', ...ofServer]);

  say(`\n${bold('4  Restore')} to ${target}`);
  const wasThere = existsSync(join(root, target));
  const restoreMs = holdfast(['restore', 'latest', ...ofServer, '--target', target, ...(wasThere ? ['--replace'] : [])]);
  if (wasThere) {
    say('\n   What an earlier trial had restored there was kept, in case of regret. It is not needed:');
    holdfast(['undo', '--target', target, '--discard']);
  }

  say(`\n${bold('5  Compare')} every byte, mode, time and link with the original, by other code than Holdfast's own`);
  const since = performance.now();
  const found = compareTrees(folder, join(root, target));
  const compareMs = performance.now() - since;
  say();
  for (const line of found.differences.slice(0, maxShown)) say(`  ${JSON.stringify(line).slice(1, -1)}`);
  if (found.differences.length > maxShown) say(`  and ${count(found.differences.length - maxShown, 'more difference')}`);
  const same = found.differences.length === 0;
  const what = `${count(found.files, 'file')}, ${count(found.folders, 'folder')}, ${count(found.links, 'symbolic link')}`;
  say(same ? `  ${what}: no difference` : `  ${what}: ${count(found.differences.length, 'difference')}`);
  if (found.skipped > 0) say(`  ${count(found.skipped, 'socket, pipe or device', 'sockets, pipes and devices')} not backed up, as always`);

  say(`\n${bold(same ? 'The folder came back byte for byte.' : 'The folder that came back is NOT the same.')}`);
  const lines: readonly (readonly [string, string])[] = [
    ['Backup', speed(size.bytes, backupMs)],
    ['Verify', speed(size.bytes, verifyMs)],
    ['Restore', speed(size.bytes, restoreMs)],
    ['Compare', formatDuration(compareMs)],
    ['Size', `${formatSize(size.bytes)} became ${formatSize(stored)} (${((stored / Math.max(1, size.bytes)) * 100).toFixed(0)} %)`],
    ['Password', secret],
    ['try/destination', 'the encrypted archives: this is all that leaves a server'],
    ['try/restored', 'the folder that came back'],
    ['try/password', 'the password, so that a second trial opens the same destination'],
    [stateFolder, 'locks, and the id of this computer'],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  for (const [name, text] of lines) say(`  ${name.padEnd(width)}  ${text}`);
  say('\nRun it again: with nothing changed, no second copy is stored. Remove all of it: rm -rf try');
  return same;
}

// Whoever stops reading (`| head`) stops the trial.
process.stdout.on('error', () => process.exit(1));

try {
  process.exitCode = tryIt(findSource(process.argv[2])) ? 0 : 1;
} catch (error) {
  if (!(error instanceof CannotTry) && !(error instanceof CommandFailed)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = 1;
}
