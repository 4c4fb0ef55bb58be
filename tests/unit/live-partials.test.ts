import { expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { livePartials } from '../../main/engine/jobs/unfinished.ts';
import { listServer } from '../../main/engine/snapshots/catalog.ts';
import { manifestKey, partialKey } from '../../main/engine/snapshots/names.ts';
import { put } from '../support/engine-on-memory.ts';

const now = Date.UTC(2026, 10, 28, 12, 0, 30);
const unfinished = '20261128T120000Z-aaaaaa';

test.each([
  ['of its own run', unfinished, now, false],
  ['of an earlier run, written later', '20261128T110000Z-aaaaaa', now + 1000, false],
  ['of a later run, written earlier', '20261128T130000Z-aaaaaa', now - 1000, true],
  ['of one second, of an earlier run', '20261128T110000Z-aaaaaa', now, true],
  ['of one second, of a later run', '20261128T120010Z-aaaaaa', now, false],
  ['of one second, dated ten minutes ahead as by a clock that is off', '20261128T121030Z-aaaaaa', now, false],
  ['of one second, dated in the future', '20990101T000000Z-aaaaaa', now, true],
  ['written later, dated in the future', '20990101T000000Z-aaaaaa', now + 1000, false],
])('what was written down beside a manifest %s: does it count?', async (_, id, writtenAt, counts) => {
  const clock = { time: now, now: (): number => clock.time };
  const backend = memoryBackend({ clock });
  await put(backend, partialKey('survival', unfinished, 0), 'a volume');
  clock.time = writtenAt;
  await put(backend, manifestKey('survival', id), 'a manifest');
  const live = livePartials(await listServer(backend, 'survival', {}), now + 1000);
  expect(live.map(({ key }) => key)).toEqual(counts ? [partialKey('survival', unfinished, 0)] : []);
});
