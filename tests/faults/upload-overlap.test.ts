import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { around, type Call } from '../../main/engine/storage/layers/around.ts';
import { backupRequest, newStateDir } from '../support/engine-on-memory.ts';
import { anHourLater, expectSame } from '../support/incremental.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * A slow line holds up nobody but itself: while a volume is on its way, those behind it are read, compressed and sealed. What is held here is let go by nothing but
 * that, so that a run in which one waits for the other never ends.
 */

const volumeSize = 2 ** 20;
const fileSize = 350_000;
/** So many are a volume, which is one frame. */
const filesOfVolume = 3;
/** So many frames wait at most until they are compressed and sealed (packer.ts). */
const frames = Math.min(availableParallelism(), 8) + 2;
/** Has been read when the second volume was sealed: no frame is filled before the one that had its room was. */
const pastSecond = filesOfVolume * (frames + 2) * fileSize;

const isOfVolume = ({ target }: Call): boolean => target.endsWith('.holdfast');

test.each([
  ['the first part of the first volume is sent', ({ verb }: Call) => verb === 'writePart'],
  ['the first volume becomes an object', ({ verb }: Call) => verb === 'complete'],
])('while %s, the next one is read, compressed and sealed', async (_, isHeld) => {
  const source = tempFolder();
  // More than one volume, and more than memory holds.
  for (let file = 0; file < filesOfVolume * (frames + 4); file += 1) writeFileSync(join(source, `f${file}`), randomBytes(fileSize));
  const backend = memoryBackend();
  const go = Promise.withResolvers<undefined>();
  const calls: string[] = [];
  let held = false;
  const on = around(backend, {
    async call(call, run) {
      if (isOfVolume(call)) calls.push(`${call.verb} ${call.target.replace(/^.*Z-[a-z0-9]{6}/, '')}`);
      if (!held && isOfVolume(call) && isHeld(call)) {
        held = true;
        await go.promise;
      }
      return await run(call.signal);
    },
    stream: (call, open) => open(call.signal),
  });
  const one = anHourLater({ backend: on, stateDir: newStateDir() });
  const before: string[] = [];
  const onProgress = ({ bytes }: { readonly bytes: number }): void => {
    if (bytes < pastSecond || before.length > 0) return;
    before.push(...calls);
    go.resolve(undefined);
  };
  expect(await one.engine.backup(one.destination, backupRequest(source, { volumeSize }), { onProgress })).toMatchObject({ warnings: [] });
  // So far nothing of the second had been sent: were both cut off, both would be lost.
  expect(before.filter((call) => !call.endsWith(' .holdfast'))).toEqual([]);
  expect(before).toContain('writePart .holdfast');
  expect(calls.filter((call) => call.endsWith('.002.holdfast'))).not.toEqual([]);
  await expectSame(one, source);
});
