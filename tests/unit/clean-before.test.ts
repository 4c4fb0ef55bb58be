import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CleanBefore } from '../../scripts/tests/clean-before.ts';
import { tempFolder } from '../support/temp-folder.ts';

const reads = ['page', 'contract', 'lock.json'];

/** A project whose check was clean as it stands. */
function cleanProject(): { readonly root: string; readonly isClean: () => boolean } {
  const root = tempFolder();
  for (const folder of ['page/views', 'contract', 'other']) mkdirSync(join(root, folder), { recursive: true });
  for (const file of ['page/app.ts', 'page/views/home.svelte', 'contract/calls.ts', 'lock.json', 'other/cli.ts'])
    writeFileSync(join(root, file), `the content of ${file}`);
  const before = new CleanBefore(root);
  expect(before.isClean('lint', before.key(reads))).toBe(false);
  before.remember('lint', before.key(reads));
  expect(before.isClean('format', before.key(reads))).toBe(false);
  return { root, isClean: () => new CleanBefore(root).isClean('lint', before.key(reads)) };
}

test('what has not changed is clean as before, whatever else has', () => {
  const { root, isClean } = cleanProject();
  writeFileSync(join(root, 'other/cli.ts'), 'changed');
  expect(isClean()).toBe(true);
});

test.each<readonly [string, (root: string) => void]>([
  ['a file changed', (root) => writeFileSync(join(root, 'page/app.ts'), 'changed')],
  ['one deeper down changed', (root) => writeFileSync(join(root, 'page/views/home.svelte'), 'changed')],
  ['what it takes its types from changed', (root) => writeFileSync(join(root, 'contract/calls.ts'), 'changed')],
  ['other dependencies', (root) => writeFileSync(join(root, 'lock.json'), 'changed')],
  ['a file came', (root) => writeFileSync(join(root, 'page/new.ts'), '')],
  ['a file went', (root) => rmSync(join(root, 'page/app.ts'))],
  ['a file has another name', (root) => renameSync(join(root, 'page/app.ts'), join(root, 'page/main.ts'))],
])('%s: it is checked again', (_what, change) => {
  const { root, isClean } = cleanProject();
  change(root);
  expect(isClean()).toBe(false);
});
