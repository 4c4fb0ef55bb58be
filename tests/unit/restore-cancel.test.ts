import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { restoreRequest, world } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

test.each([
  ['whole', []],
  ['in part', ['/level.dat']],
])('a restore that is cancelled once all is there and before it is swapped leaves the target and nothing else: %s', async (_, include) => {
  const base = tempFolder();
  const [source, target] = [join(base, 'source'), join(base, 'live')];
  for (const folder of [source, target]) mkdirSync(folder);
  writeFileSync(join(source, 'level.dat'), 'blocks');
  writeFileSync(join(target, 'level.dat'), 'in use');
  const from = world();
  await from.backup(source);
  const stop = new AbortController();
  const work = from.engine.restore(from.destination, restoreRequest(target, { replace: true, include }), {
    signal: stop.signal,
    onProgress: ({ phase }) => phase === 'swap' && stop.abort(),
  });
  await expect(work).rejects.toMatchObject({ code: 'cancelled' });
  expect(readdirSync(base).sort()).toEqual(['live', 'source']);
  expect(readFileSync(join(target, 'level.dat'), 'utf8')).toBe('in use');
});
