import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { picturesOf } from '../support/page/pictures.ts';
import { views } from '../support/page/views.ts';

test('docs/screenshots holds the pictures of every view, and none of a view that is no more', () => {
  const there = readdirSync(join(import.meta.dirname, '../../docs/screenshots'));
  expect(there.sort()).toEqual(
    views
      .flatMap(picturesOf)
      .map(({ name }) => name)
      .sort(),
  );
});
