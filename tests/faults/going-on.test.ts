import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import type { Call } from '../../main/engine/storage/layers/around.ts';
import { keysOf, newStateDir } from '../support/engine-on-memory.ts';
import { anHourLater, expectSame } from '../support/incremental.ts';
import { mortal } from '../support/mortal.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * A run that is cut off, whatever by, and the next one: what was finished is not sent again.
 */

const timeout = 600_000;
const mib = 2 ** 20;
const volumeSize = mib;
const files = 12;
const fileSize = 500_000;
/** Nothing of it can be compressed. */
const dataSize = files * fileSize;
/** An entry that begins before the volume is full, and what is around it: seal, ZIP, seek table. */
const oneVolume = volumeSize + fileSize + 64 * 1024;
const stateDir = newStateDir();
let source = '';

beforeEach(() => {
  source = tempFolder();
  for (let file = 0; file < files; file += 1) writeFileSync(join(source, `f${String(file).padStart(2, '0')}`), randomBytes(fileSize));
});

type Dies = (call: Call, when: 'before' | 'after') => boolean;

/** A run that ends where `dies` says. Bytes that it sent. */
async function cutOff(backend: Backend, dies: Dies, folder = source): Promise<number> {
  const { backend: on, isDead, sentBytes } = mortal(backend, dies);
  await expect(anHourLater({ backend: on, stateDir }).backup(folder, { volumeSize })).rejects.toBeInstanceOf(Fault);
  expect(isDead()).toBe(true);
  return sentBytes();
}

/** A run that comes to its end. Bytes that it sent. */
async function wholeRun(backend: Backend, folder = source): Promise<number> {
  const { backend: on, sentBytes } = mortal(backend, () => false);
  expect(await anHourLater({ backend: on, stateDir }).backup(folder, { volumeSize })).toMatchObject({ outcome: 'written', warnings: [] });
  return sentBytes();
}

const partialsOf = async (backend: Backend): Promise<readonly string[]> =>
  (await keysOf(backend)).filter((key) => key.endsWith('.partial'));

describe('a run that is cut off at a volume', () => {
  const ending = (end: string, volume: number): string => (volume === 0 ? end : `.${String(volume + 1).padStart(3, '0')}${end}`);
  const moments: readonly (readonly [string, (volume: number) => Dies])[] = [
    [
      'while it is sent',
      (volume) =>
        ({ verb, target }, when) =>
          verb === 'writePart' && when === 'after' && isOf(target, ending('.holdfast', volume)),
    ],
    [
      'before it is an object',
      (volume) =>
        ({ verb, target }, when) =>
          verb === 'complete' && when === 'before' && isOf(target, ending('.holdfast', volume)),
    ],
    [
      'when it is one and not written down',
      (volume) =>
        ({ verb, target }, when) =>
          verb === 'complete' && when === 'after' && isOf(target, ending('.holdfast', volume)),
    ],
    [
      'when it is written down',
      (volume) =>
        ({ verb, target }, when) =>
          verb === 'complete' && when === 'after' && isOf(target, ending('.partial', volume)),
    ],
  ];
  const isOf = (key: string, end: string): boolean => new RegExp(`Z-[a-z0-9]{6}${end.replaceAll('.', '\\.')}$`).test(key);

  test.each(moments)('%s: the next one sends the rest, whichever volume it was', { timeout }, async (_, at) => {
    for (let volume = 0; volume < 3; volume += 1) {
      const backend = memoryBackend();
      const first = await cutOff(backend, at(volume));
      const second = await wholeRun(backend);
      expect([volume, first + second <= 1.1 * dataSize + oneVolume, first, second]).toEqual([volume, true, first, second]);
      expect([volume, await partialsOf(backend)]).toEqual([volume, []]);
      if (volume % 2 === 1) await expectSame(anHourLater({ backend, stateDir }), source);
    }
  });
});

test('what an unfinished run has stored is told of, and is no snapshot', { timeout }, async () => {
  const backend = memoryBackend();
  await cutOff(backend, ({ verb, target }, when) => verb === 'complete' && when === 'after' && target.endsWith('.002.partial'));
  const one = anHourLater({ backend, stateDir });
  const rows = await one.engine.snapshots(one.destination, {}, {});
  expect(rows).toMatchObject([{ complete: false, problem: 'the run did not end: the next one goes on with its 2 finished volumes' }]);
  await expect(one.verify()).rejects.toMatchObject({ code: 'not-found' });
  await expect(one.restore(join(tempFolder(), 'back'))).rejects.toMatchObject({ code: 'not-found' });
  const { servers } = await one.engine.usage(one.destination, {}, {});
  expect(servers).toMatchObject([{ snapshots: [], liveBytes: 0, unnamedBytes: 0 }]);
  expect(servers[0]?.unfinishedBytes).toBe(servers[0]?.storedBytes);
  // A whole snapshot, though it rests on what another run has sent: nobody else has that.
  await wholeRun(backend);
  const after = await one.engine.snapshots(one.destination, {}, {});
  expect(after).toMatchObject([{ complete: true }]);
  expect(await one.backup(source, { whole: 'always' })).toMatchObject({ outcome: 'unchanged' });
});
