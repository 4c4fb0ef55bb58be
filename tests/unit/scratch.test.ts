import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchIn, type Scratch } from '../../main/compose/service/scratch.ts';
import type { ServicePlaces } from '../../main/compose/service/places.ts';
import { tempFolder } from '../support/temp-folder.ts';

const stays = new AbortController().signal;

/** With what a test restore of a process that is gone has left, and one of another service. */
function withLeft(): { readonly scratch: Scratch; readonly base: string } {
  const base = tempFolder();
  for (const name of ['holdfast-drill-this-left', 'holdfast-drill-other-left']) {
    mkdirSync(join(base, name, 'world', 'region'), { recursive: true });
    for (const file of ['level.dat', 'region/r.0.mca']) writeFileSync(join(base, name, 'world', file), 'blocks');
  }
  return { base, scratch: scratchIn({ HOLDFAST_SCRATCH_DIR: base }, { lock: 'this' } as ServicePlaces) };
}

test('what was left goes, and nothing that is another service’s or has been made since', async () => {
  const { scratch, base } = withLeft();
  const { path } = await scratch.make();
  await scratch.sweep(stays);
  expect(readdirSync(base).toSorted()).toEqual(['holdfast-drill-other-left', basename(path)].toSorted());
});

test('a service that is told to stop goes no further', async () => {
  const { scratch, base } = withLeft();
  const stop = new AbortController();
  stop.abort();
  await scratch.sweep(stop.signal);
  expect(readdirSync(join(base, 'holdfast-drill-this-left', 'world')).toSorted()).toEqual(['level.dat', 'region']);
});

test('where there is no folder for it there is nothing to remove', async () => {
  const scratch = scratchIn({ HOLDFAST_SCRATCH_DIR: join(tempFolder(), 'nowhere') }, { lock: 'this' } as ServicePlaces);
  await scratch.sweep(stays);
  const made = await scratch.make();
  await made.remove();
});
