import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const files = ['main/electron', 'preload'].flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

test('the host stays thin: 600 lines of code in all, counted as the lint rule counts', () => {
  const lines = files.flatMap((file) => textOf(file).split('\n')).filter((line) => !/^\s*($|\/\/|\/?\*)/.test(line));
  expect(lines.length).toBeLessThanOrEqual(600);
});

test('one file imports Electron, beside the preload; the ports take its types', () => {
  const importing = (pattern: RegExp): string[] => files.filter((file) => pattern.test(textOf(file)));
  expect(importing(/^import (?!type).*'electron(-store)?'/m)).toEqual(['main/electron/main.ts', 'preload/index.ts']);
  expect(importing(/^import type .*'electron'/m)).toEqual(['main/electron/ports.ts']);
});

test('nothing casts its way past Electron’s declarations, the stand-ins included', () => {
  for (const file of [...files, 'tests/support/electron-fakes.ts']) {
    const casts = textOf(file).match(/\bas (?!const\b|Electron from |Port from )\S+|@ts-\w+/g);
    expect([file, casts?.filter((cast) => /^as [A-Z({]|^as (any|never|unknown)|^@/.test(cast)) ?? []]).toEqual([file, []]);
  }
});
