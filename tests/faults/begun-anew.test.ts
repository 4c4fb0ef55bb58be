import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { around } from '../../main/engine/storage/layers/around.ts';
import { keysOf, newStateDir, type World } from '../support/engine-on-memory.ts';
import { anHourLater, archivesOf, expectSame } from '../support/incremental.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * A run finds in its end that an archive which it rests on is lost, and begins anew. By then it has finished volumes and written them down.
 */

const volumeSize = 2 ** 20;
const request = { volumeSize };
let backend: Backend;
let source = '';
/** What the run under test rests on. */
let first = '';

/** Two files are a volume. */
function addFiles(name: string, files: number): void {
  for (let file = 0; file < files; file += 1) writeFileSync(join(source, `${name}${file}`), randomBytes(volumeSize / 2));
}

beforeEach(async () => {
  backend = memoryBackend();
  source = tempFolder();
  addFiles('a', 1);
  const one = on('machine-one');
  await one.backup(source);
  [first = ''] = await archivesOf(one);
  addFiles('b', 6);
});

const on = (machine: string, where: Backend = backend): World => anHourLater({ backend: where, machine, stateDir: newStateDir() });

interface Watched {
  readonly backend: Backend;
  /** Bytes of archives that were sent since it struck. */
  readonly sentSince: () => number;
}

/** Something happens, once, when the third volume, the last one, has become an object: two are written down, and no upload is open that could be taken away. */
function behindThirdVolume(happens: () => Promise<unknown>): Watched {
  let struck = false;
  let sent = 0;
  const watched = around(backend, {
    async call(call, run) {
      if (struck && call.target.endsWith('.holdfast')) sent += call.bytes;
      const value = await run(call.signal);
      if (!struck && call.verb === 'complete' && call.target.endsWith('.003.holdfast')) {
        struck = true;
        await happens();
      }
      return value;
    },
    stream: (call, open) => open(call.signal),
  });
  return { backend: watched, sentSince: () => sent };
}

test('what it has written down is not sent again, and the snapshot rests on it', async () => {
  const { backend: where, sentSince } = behindThirdVolume(() => backend.remove(first));
  const one = on('machine-one', where);
  expect(await one.backup(source, request)).toMatchObject({ outcome: 'written', files: 7, kept: { files: 4 } });
  // The lost file, and the two of the volume that was not written down.
  expect([sentSince() > 1.5 * volumeSize, sentSince() < 1.6 * volumeSize]).toEqual([true, true]);
  expect((await keysOf(backend)).filter((key) => key.endsWith('.partial'))).toEqual([]);
  await expectSame(one, source);
  // It counts as whole, and a prune leaves all that it rests on.
  const rows = await one.engine.snapshots(one.destination, {}, {});
  expect(rows.at(-1)).toMatchObject({ complete: true, sharedBytes: 0 });
  await one.prune({ policy: { last: 1 } });
  await expectSame(one, source);
});

test('a machine that has taken the server over meanwhile keeps the volumes that its snapshot rests on', async () => {
  const two = on('machine-two');
  const { backend: where } = behindThirdVolume(async () => {
    expect(await two.backup(source, { ...request, takeOver: true, whole: 'always' })).toMatchObject({ kept: { files: 4 } });
    expect((await two.prune({ policy: { last: 1 } })).objects).toContain(first);
  });
  // It was the owner when it began: nothing tells it until its next run.
  expect(await on('machine-one', where).backup(source, request)).toMatchObject({ outcome: 'written', files: 7 });
  expect((await two.verify()).damage).toEqual([]);
  await expectSame(two, source);
});
