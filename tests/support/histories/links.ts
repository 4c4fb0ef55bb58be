import { chmodSync, copyFileSync, existsSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Dice } from './steps.ts';

/* What people and programs do to names rather than to contents. Each takes one file of the folder, and the folder. */

/** A further name of the same file, here or in a folder of its own. */
export function addName(file: string, dice: Dice, folder: string): void {
  const place = dice(2) === 0 ? folder : join(folder, 'names');
  mkdirSync(place, { recursive: true });
  const name = join(place, `h${dice(10)}`);
  if (!existsSync(name)) linkSync(file, name);
}

/** What was one of several names is a file of its own, with the same content. */
export function part(file: string, _dice: Dice, folder: string): void {
  const copy = join(folder, 'copy-in-the-making');
  copyFileSync(file, copy);
  renameSync(copy, file);
}

/** A symbolic link comes, leads elsewhere or goes; some lead nowhere. */
export function link(file: string, dice: Dice, folder: string): void {
  const name = join(folder, `l${dice(4)}`);
  rmSync(name, { force: true });
  const targets = [file, 'below', '../beside', `f${dice(30)}`];
  const target = targets[dice(targets.length + 1)];
  if (target !== undefined) symlinkSync(target, name);
}

/** Of a folder, only the mode or only the time changes. */
export function touchFolder(file: string, dice: Dice): void {
  const folder = dirname(file);
  if (dice(2) === 0) chmodSync(folder, dice(2) === 0 ? 0o700 : 0o755);
  else utimesSync(folder, 1_700_000_000 + dice(1000), 1_700_000_000 + dice(1000));
}

/** Everything that a file system says of what is below a folder: where it is the same, nothing was touched. */
export function stampsOf(folder: string, names: readonly string[]): string {
  return ['.', ...names]
    .map((name) => {
      const { ino, mode, nlink, size, mtimeNs, ctimeNs } = lstatSync(join(folder, name), { bigint: true });
      return `${name} ${ino} ${mode} ${nlink} ${size} ${mtimeNs} ${ctimeNs}`;
    })
    .join('\n');
}
