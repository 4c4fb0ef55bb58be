import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { flipped } from '../damage.ts';
import { noise } from '../seeded-random.ts';
import { addName, link, part, touchFolder } from './links.ts';
import type { Dice } from './steps.ts';

const mib = 2 ** 20;
/** Above this, files are compared piece by piece. */
export const largestUncut = 8 * mib;

/** All names below a folder, in the order of a walk: what is in a folder comes right behind it. */
export function namesIn(folder: string): readonly string[] {
  const inWalk = (name: string): string => name.replaceAll('/', '\0');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort((a, b) => (inWalk(a) < inWalk(b) ? -1 : 1));
}

/** The names of all files: one with several stands here several times. */
export function filesIn(folder: string): readonly string[] {
  return namesIn(folder).filter((name) => lstatSync(join(folder, name)).isFile());
}

/** Each file once, by the name that a walk meets first. */
export function firstNames(folder: string): readonly string[] {
  const met = new Set<number>();
  return filesIn(folder).filter((name) => {
    const { ino } = lstatSync(join(folder, name));
    return met.size < met.add(ino).size;
  });
}

export function addFile(folder: string, dice: Dice): void {
  const below = dice(2) === 0 ? '' : `${readdirSync(folder).find((name) => name.startsWith('below')) ?? ''}/`;
  writeFileSync(join(folder, `${below}f${dice(30)}`), bytesOf(dice, dice(3) === 0 ? 200_000 : 5000));
}

export function addLarge(folder: string, dice: Dice): void {
  writeFileSync(join(folder, 'large'), noise(dice(1e9), largestUncut + 1 + dice(2 * mib)));
}

/** Enough for a run of several volumes. */
export function addSeveral(folder: string, dice: Dice): void {
  for (let files = 2 + dice(3); files > 0; files -= 1)
    writeFileSync(join(folder, `s${dice(20)}`), noise(dice(1e9), 40_000 + dice(100_000)));
}

function bytesOf(dice: Dice, most: number): Buffer {
  return noise(dice(1e9), dice(most));
}

/** One thing that people and programs do to files. */
export function edit(folder: string, dice: Dice): void {
  const names = filesIn(folder);
  const name = names[dice(names.length)];
  if (name === undefined || dice(8) === 0) return addFile(folder, dice);
  const file = join(folder, name);
  const { size } = statSync(file);
  const act = edits[dice(edits.length)];
  if (act === undefined || (act === remove && names.length === 1)) return addFile(folder, dice);
  if (size > largestUncut && act === silently) return patch(file, dice, folder);
  act(file, dice, folder);
}

type Edit = (file: string, dice: Dice, folder: string) => void;

/** A copy is put away, out of the folder. */
const remove: Edit = (file, _dice, folder) => {
  const attic = atticOf(folder);
  mkdirSync(attic, { recursive: true });
  copyWithTimes(file, join(attic, `${readdirSync(attic).length}`));
  rmSync(file);
};

/** What was removed once comes back, as it was then: often only older snapshots have it. */
const bringBack: Edit = (_file, dice, folder) => {
  const away = existsSync(atticOf(folder)) ? readdirSync(atticOf(folder)) : [];
  const name = away[dice(away.length)];
  if (name === undefined) return;
  const copy = dice(2) === 0 ? copyWithTimes : copyFileSync;
  copy(join(atticOf(folder), name), join(folder, `b${dice(10)}`));
};

const atticOf = (folder: string): string => join(dirname(folder), 'attic');

function copyWithTimes(from: string, to: string): void {
  copyFileSync(from, to);
  const { atimeMs, mtimeMs } = statSync(from);
  utimesSync(to, atimeMs / 1000, mtimeMs / 1000);
}

/** Content changes and the stamps that a program can set do not. */
const silently: Edit = (file, dice) => {
  const bytes = readFileSync(file);
  if (bytes.length === 0) return;
  const { atimeMs, mtimeMs } = statSync(file);
  writeFileSync(file, flipped(bytes, dice(bytes.length)));
  utimesSync(file, atimeMs / 1000, mtimeMs / 1000);
};

/** In place, as databases do; it may become longer by it. */
const patch: Edit = (file, dice) => {
  const bytes = bytesOf(dice, 3000);
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, dice(statSync(file).size + 1));
  closeSync(handle);
};

const edits: readonly Edit[] = [
  addName,
  addName,
  part,
  link,
  touchFolder,
  remove,
  bringBack,
  bringBack,
  silently,
  patch,
  (file, dice) => appendFileSync(file, bytesOf(dice, 3000)),
  (file, dice) => {
    const handle = openSync(file, 'r+');
    ftruncateSync(handle, dice(statSync(file).size + 1));
    closeSync(handle);
  },
  (file, dice, folder) => renameSync(file, join(folder, `r${dice(20)}`)),
  (file, dice, folder) => copyFileSync(file, join(folder, `c${dice(20)}`)),
  (file, dice) => utimesSync(file, 1_700_000_000 + dice(1000), 1_700_000_000 + dice(1000)),
  (file, dice) => chmodSync(file, dice(2) === 0 ? 0o600 : 0o644),
  (_file, dice, folder) => {
    const [from, to] = dice(2) === 0 ? ['below', 'below as well'] : ['below as well', 'below'];
    if (existsSync(join(folder, from)) && !existsSync(join(folder, to))) renameSync(join(folder, from), join(folder, to));
  },
];
