import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareTrees } from '../../scripts/try/compare.ts';
import { holdfast } from './run-command.ts';
import { millionRow, type Row } from './table.ts';

const perFolder = 100;

/** What there may be many of besides files with content of their own. Each makes the one of a number, in a folder that is there. */
const kinds: Readonly<Record<string, { readonly count: number; readonly make: (tree: string, inFolder: string, number: number) => void }>> =
  {
    'a million links': {
      count: 1_000_000,
      make: (tree, inFolder, number) => symlinkSync(`../target-of-${String(number)}`, join(tree, inFolder, `link-${String(number)}.txt`)),
    },
    'half a million folders': {
      count: 500_000,
      make: (tree, inFolder, number) => mkdirSync(join(tree, inFolder, `empty-folder-${String(number)}`)),
    },
    // The first names of all of them come before any other.
    'half a million files with two names': {
      count: 500_000,
      make: (tree, inFolder, number) => {
        const [first, second] = [join(tree, inFolder, `file-${String(number)}`), join(tree, `second-${inFolder}`)];
        writeFileSync(first, `content of ${String(number)}`);
        mkdirSync(second, { recursive: true });
        linkSync(first, join(second, `file-${String(number)}`));
      },
    },
  };

/** The memory that a backup and a restore need of trees whose entries are no plain files. */
export function measureKinds(place: string, tell: (text: string) => void): readonly Row[] {
  return Object.entries(kinds).flatMap(([name, { count, make }], index) => {
    // A destination of its own: one that was emptied is taken for a disk that is not mounted.
    const [tree, destination, restored] = [
      join(place, 'kind'),
      join(place, `kind-destination-${String(index)}`),
      join(place, 'kind-restored'),
    ];
    mkdirSync(tree);
    // A folder without a single file is refused.
    writeFileSync(join(tree, 'one-file'), 'content');
    for (let number = 0; number < count; number += 1) {
      const inFolder = join(`part-${String(Math.floor(number / perFolder ** 2))}`, `folder-${String(Math.floor(number / perFolder))}`);
      if (number % perFolder === 0) mkdirSync(join(tree, inFolder), { recursive: true });
      make(tree, inFolder, number);
    }
    const access = ['-d', `folder:${destination}`];
    const rows = [
      millionRow(`${name}: full backup`, holdfast(['backup', tree, ...access, '--server', 'kind'], place)),
      millionRow(`${name}: full restore`, holdfast(['restore', 'latest', ...access, '--target', restored], place)),
    ];
    for (const { what, ours, result } of rows) tell(`  ${what}: ${ours}, ${result}`);
    const { differences } = compareTrees(tree, restored);
    tell(`  ${name}: ${String(differences.length)} differences`);
    for (const folder of [tree, destination, restored]) rmSync(folder, { recursive: true });
    return rows;
  });
}
