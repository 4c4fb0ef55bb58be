import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { longReadsInTurn } from '../../main/engine/service/long-reads.ts';
import type { Layer } from '../../main/engine/storage/backend.ts';
import { around } from '../../main/engine/storage/layers/around.ts';
import { concurrency } from '../../main/engine/storage/layers/concurrency.ts';
import { stack } from '../../main/engine/storage/stack.ts';
import { world } from '../support/engine-on-memory.ts';
import { serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

const here = { slug: 'survival', destination: 'here' };
const latest = { ...here, snapshot: 'latest' };

/** A place whose reads that begin while it is slow end only with `open`; `begun` tells how many wait so. */
function slowPlace(): { readonly layer: Layer; isSlow: boolean; begun: number; readonly open: PromiseWithResolvers<undefined> } {
  const open = Promise.withResolvers<undefined>();
  const place = {
    isSlow: false,
    begun: 0,
    open,
    layer: ((inner) =>
      around(inner, {
        call: (call, run) => run(call.signal),
        async *stream(call, begin) {
          if (call.verb === 'read' && place.isSlow) {
            place.begun += 1;
            await open.promise;
          }
          yield* begin(call.signal);
        },
      })) as Layer,
  };
  return place;
}

test('a short read passes twenty long ones, which take turns; one that is given up while it waits is gone', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'level.dat'), 'blocks');
  const place = slowPlace();
  const engine = world({ backend: stack(memoryBackend({ clock: Date }), place.layer, concurrency({ permits: 8 })) });
  await engine.backup(folder, { server: 'Survival' });
  const { service } = serviceWorld({ folder, engine });
  // Of the long ones, it has all that the queue knows but the list of a place's servers, which is another's.
  const calls = longReadsInTurn({ ...service.calls, 'destination.servers': () => Promise.resolve([]) });
  const signal = new AbortController().signal;
  const leave = new AbortController();

  place.isSlow = true;
  const searches = Array.from({ length: 20 }, () => calls['snapshot.search']({ ...latest, text: 'level', limit: 10 }, signal));
  const givenUp = calls['snapshots.list'](here, leave.signal);
  await expect.poll(() => place.begun).toBe(3);
  place.isSlow = false;

  expect(await calls['snapshot.entries']({ ...latest, path: '' }, signal)).toMatchObject([{ path: 'level.dat' }]);
  expect(place.begun).toBe(3);
  leave.abort();
  await expect(givenUp).rejects.toMatchObject({ code: 'cancelled' });

  place.open.resolve(undefined);
  for (const found of await Promise.all(searches)) expect(found.entries).toMatchObject([{ path: 'level.dat' }]);
});
